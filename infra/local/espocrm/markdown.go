package espocrm

import (
	"html"
	"regexp"
	"strings"
)

var (
	inTicks    = regexp.MustCompile("(?s)`(.*?)`")
	reference  = regexp.MustCompile(`^&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);`)
	lineEnd    = regexp.MustCompile(` +\n`)
	definition = regexp.MustCompile(`(?m)^ {0,3}\[[^\]\\]+\]: *\S+( +\([^)]*\))?[ \t]*$\n?`)
)

// Markdown shows a post as EspoCRM's page does, as far as anybody here writes Markdown: escapes, entities, strong,
// emphasis, line breaks; link definitions and HTML are not shown. Before the Markdown is read the page puts a backslash
// before each <, outside of what looks like code.
// https://github.com/espocrm/espocrm/blob/master/client/src/view-helper.js
func Markdown(post string) string {
	post = strings.ReplaceAll(post, "<", `\<`)
	post = inTicks.ReplaceAllStringFunc(post, func(code string) string { return strings.ReplaceAll(code, `\<`, "<") })
	post = lineEnd.ReplaceAllString(definition.ReplaceAllString(post, ""), "\n")
	var b strings.Builder
	for _, paragraph := range strings.Split(post, "\n\n") {
		if p := strings.TrimSpace(paragraph); p != "" {
			b.WriteString("<p>" + inline(p) + "</p>")
		}
	}
	return b.String()
}

func inline(text string) string {
	var b strings.Builder
	open := map[string]bool{}
	toggle := func(tag string) {
		if open[tag] {
			b.WriteString("</" + tag + ">")
		} else {
			b.WriteString("<" + tag + ">")
		}
		open[tag] = !open[tag]
	}
	for i := 0; i < len(text); i++ {
		switch rest := text[i:]; {
		case rest[0] == '\\' && len(rest) > 1 && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", rest[1]) >= 0:
			b.WriteString(html.EscapeString(rest[1:2]))
			i++
		case strings.HasPrefix(rest, "**"):
			toggle("strong")
			i++
		case rest[0] == '*' || rest[0] == '_':
			toggle("em")
		case rest[0] == '<': // a tag, as far as the sanitizer leaves it there
			end := strings.IndexByte(rest, '>')
			if end < 0 {
				return b.String()
			}
			i += end
		case rest[0] == '&' && reference.MatchString(rest):
			entity := reference.FindString(rest)
			b.WriteString(html.EscapeString(html.UnescapeString(entity)))
			i += len(entity) - 1
		case rest[0] == '\n':
			b.WriteString("<br>")
		default:
			b.WriteString(rest[:1])
		}
	}
	return b.String()
}
