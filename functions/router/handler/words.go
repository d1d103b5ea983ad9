package handler

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"threadline/shared/whatsapp"
)

// Messages in words, for where they aren't shown as what they are: in lists, in a CRM's timeline.

// text is what a message says.
func text(w whatsapp.Message) string {
	if file, ok := w.Media(); ok {
		return file.Caption
	}
	switch {
	case w.Text != nil:
		return w.Text.Body
	case w.Location != nil:
		return w.Location.Words()
	case w.Contacts != nil:
		return cards(w.Contacts)
	case w.Reaction != nil:
		return w.Reaction.Emoji
	case w.Interactive != nil:
		return interactive(w.Interactive)
	case w.Button != nil:
		return w.Button.Text
	case w.Order != nil:
		return order(w.Order)
	case w.System != nil:
		return notice(w.System)
	case w.Edit != nil:
		return text(w.Edit.Message)
	case w.Unsupported != nil:
		return unsupported(w.Unsupported)
	}
	return ""
}

func cards(cs []whatsapp.ContactCard) string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Words())
	}
	return lines(out...)
}

// interactive is what the customer chose or filled in; of a type that isn't known, for Meta adds types, what that is called.
func interactive(i *whatsapp.Interactive) string {
	switch {
	case i.ButtonReply != nil:
		return i.ButtonReply.Title
	case i.ListReply != nil:
		return lines(i.ListReply.Title, i.ListReply.Description)
	case i.FlowReply != nil:
		return form(i.FlowReply)
	case i.CallPermissionReply != nil:
		return permission(i.CallPermissionReply)
	}
	return sentence(i.Type)
}

func permission(r *whatsapp.CallPermissionReply) string {
	said := "Please don't call"
	switch {
	case r.Accepted && (r.Permanent || r.Expires.IsZero()):
		said = "You may call"
	case r.Accepted:
		said = "You may call until " + r.Expires.UTC().Format("2 January 2006 15:04 MST")
	}
	if r.Automatic {
		said += " (WhatsApp's own answer)"
	}
	return said
}

// form is what the customer filled in, or what the chat shows of it when nothing can be read.
func form(r *whatsapp.FlowReply) string {
	if !json.Valid([]byte(r.Response)) { // which also bounds how deep it goes
		return lines(r.Body, r.Response)
	}
	d := json.NewDecoder(strings.NewReader(r.Response))
	d.UseNumber()
	filled := lines(answers(d, "")...)
	if filled == "" || r.Name == "address_message" { // whose body is the address as people write it
		return lines(r.Body, filled)
	}
	return filled
}

// answers reads one value of a form's response: "Name: Ana", in the order in which the form has them.
func answers(d *json.Decoder, label string) []string {
	t, err := d.Token()
	if err != nil {
		return nil
	}
	said := ""
	switch t := t.(type) {
	case json.Delim:
		var inner []string
		for d.More() {
			name := ""
			if t == '{' {
				key, _ := d.Token()
				name, _ = key.(string)
			}
			found := answers(d, fieldName(name))
			if name != "flow_token" {
				inner = append(inner, found...)
			}
		}
		_, _ = d.Token() // its end
		if t == '{' {
			return inner
		}
		said = joined(", ", inner...)
	case bool:
		said = map[bool]string{true: "yes", false: "no"}[t]
	case nil:
	default:
		said = fmt.Sprint(t)
	}
	if said == "" || label == "" {
		return []string{said}
	}
	return []string{label + ": " + said}
}

// screenField is how Meta's own editor names the fields of a form, such as screen_0_First_name_1.
var screenField = regexp.MustCompile(`^screen_\d+_(.+)_\d+$`)

// fieldName makes a label of a field's name: first_name is First name.
func fieldName(s string) string {
	if m := screenField.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	return sentence(s)
}

// sentence makes words of one of Meta's: poll_creation is Poll creation.
func sentence(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "_", " "))
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func order(o *whatsapp.Order) string {
	out := []string{o.Text}
	for _, i := range o.Items {
		out = append(out, fmt.Sprintf("%d × %s  %s %s", i.Quantity, i.ProductID, i.Price, i.Currency))
	}
	return lines(append(out, total(o.Items))...)
}

// amount is a price as Meta writes it.
var amount = regexp.MustCompile(`^\d{1,12}(\.(\d{1,6}))?$`)

// total adds up what has one currency; empty where it hasn't, or a price isn't one.
func total(items []whatsapp.OrderItem) string {
	sum, digits := new(big.Rat), 0
	for _, i := range items {
		m := amount.FindStringSubmatch(i.Price)
		if m == nil || i.Currency != items[0].Currency {
			return ""
		}
		if m[2] != "" {
			digits = max(digits, 2, len(m[2]))
		}
		price, _ := new(big.Rat).SetString(i.Price)
		sum.Add(sum, price.Mul(price, new(big.Rat).SetInt64(i.Quantity)))
	}
	if len(items) == 0 {
		return ""
	}
	return fmt.Sprintf("Total: %s %s", sum.FloatString(digits), items[0].Currency)
}

// notices stand for what WhatsApp's own notices say where they have no words of their own.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/system
var notices = map[string]string{
	"user_changed_number":       "The customer changed their phone number",
	"customer_changed_number":   "The customer changed their phone number",
	"user_changed_user_id":      "The customer has a new user id",
	"customer_identity_changed": "The customer installed WhatsApp anew",
}

func notice(s *whatsapp.System) string {
	if s.Body != "" {
		return s.Body
	}
	return notices[s.Type]
}

func unsupported(u *whatsapp.Unsupported) string {
	return joined(": ", "A message that WhatsApp doesn't pass on", strings.ReplaceAll(u.Type, "_", " "))
}

// duration is how long a call took, such as 1:05.
func duration(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// lines puts each part on a line of its own.
func lines(parts ...string) string { return joined("\n", parts...) }

// joined joins what isn't empty.
func joined(by string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, by)
}

// clip cuts a text to n bytes or a few less, never within a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
