package salesforce

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// query is a parsed SOQL query: what of the language is simulated.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
type query struct {
	fields []string
	object string
	where  *condition
	order  []ordering
	limit  int // -1: none
}

// ordering is a field to sort by.
type ordering struct {
	field string
	down  bool
}

// condition is a comparison, or others joined by a word.
type condition struct {
	join  string // AND, OR; empty: a comparison
	parts []*condition

	field, operator string
	values          []string
}

var tokens = regexp.MustCompile(`'(?:[^'\\]|\\.)*'|[A-Za-z_][\w.]*|\d[\w.:+-]*|<=|>=|!=|[=<>(),]|\S`)

// parser reads tokens; the first failure stays.
type parser struct {
	tokens []string
	at     int
	failed bool
}

func malformed() error { return refuse(http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token") }

func parseQuery(text string) (*query, error) {
	p := &parser{tokens: tokens.FindAllString(text, -1)}
	q := &query{limit: -1}
	p.word("SELECT")
	q.fields = p.names()
	p.word("FROM")
	q.object = p.name()
	if p.accept("WHERE") {
		q.where = p.conditions()
	}
	if p.accept("ORDER") {
		p.word("BY")
		q.order = append(q.order, p.ordering())
		for p.accept(",") {
			q.order = append(q.order, p.ordering())
		}
	}
	if p.accept("LIMIT") {
		n, err := strconv.Atoi(p.next())
		p.failed = p.failed || err != nil
		q.limit = n
	}
	if p.failed || p.at != len(p.tokens) {
		return nil, malformed()
	}
	return q, nil
}

func (p *parser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *parser) next() string {
	t := p.peek()
	p.at++
	return t
}

func (p *parser) accept(word string) bool {
	if strings.EqualFold(p.peek(), word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) word(word string) {
	if !p.accept(word) {
		p.failed = true
	}
}

var identifier = regexp.MustCompile(`^[A-Za-z_][\w.]*$`)

func (p *parser) name() string {
	t := p.next()
	if !identifier.MatchString(t) {
		p.failed = true
	}
	return t
}

func (p *parser) names() []string {
	list := []string{p.name()}
	for p.accept(",") {
		list = append(list, p.name())
	}
	return list
}

func (p *parser) ordering() ordering {
	o := ordering{field: p.name()}
	if o.down = p.accept("DESC"); !o.down {
		p.accept("ASC")
	}
	return o
}

// conditions reads comparisons joined by one word: mixing AND and OR needs parentheses.
func (p *parser) conditions() *condition {
	c := &condition{parts: []*condition{p.condition()}}
	for !p.failed {
		switch {
		case c.join != "OR" && p.accept("AND"):
			c.join = "AND"
		case c.join != "AND" && p.accept("OR"):
			c.join = "OR"
		default:
			if c.join == "" {
				return c.parts[0]
			}
			return c
		}
		c.parts = append(c.parts, p.condition())
	}
	return c
}

func (p *parser) condition() *condition {
	if p.accept("(") {
		c := p.conditions()
		p.word(")")
		return c
	}
	c := &condition{field: p.name(), operator: strings.ToUpper(p.next())}
	switch c.operator {
	case "=", "!=", "<", ">", "<=", ">=", "LIKE":
		c.values = []string{p.value()}
	case "IN":
		p.word("(")
		c.values = []string{p.value()}
		for p.accept(",") {
			c.values = append(c.values, p.value())
		}
		p.word(")")
	default:
		p.failed = true
	}
	return c
}

var escapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'b': "\b", 'f': "\f", '"': `"`, '\'': "'", '\\': `\`, '_': `\_`, '%': `\%`}

// value reads a literal. A backslash may stand before some characters only.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func (p *parser) value() string {
	t := p.next()
	if !strings.HasPrefix(t, "'") {
		switch strings.ToLower(t) {
		case "null":
			return ""
		case "true", "false":
			return strings.ToLower(t)
		}
		if t == "" || t[0] < '0' || t[0] > '9' {
			p.failed = true
		}
		return t
	}
	if len(t) < 2 {
		p.failed = true
		return ""
	}
	var b strings.Builder
	for i := 1; i < len(t)-1; i++ {
		if t[i] != '\\' {
			b.WriteByte(t[i])
			continue
		}
		i++
		plain, known := escapes[t[i]]
		p.failed = p.failed || !known
		b.WriteString(plain)
	}
	return b.String()
}
