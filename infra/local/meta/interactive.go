package meta

import (
	"encoding/json"
	"net/url"
	"slices"
)

// interactive is the part of an interactive message that the simulator knows.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages#interactive-object
type interactive struct {
	Type   string
	Header *struct {
		Type, Text             string
		Image, Video, Document json.RawMessage
	}
	Body   *struct{ Text string }
	Footer *struct{ Text string }
	Action *action
}

type action struct {
	Name       string
	Button     string
	Buttons    []replyButton
	Sections   []section
	Parameters json.RawMessage
	Catalog    string `json:"catalog_id"`
	Product    string `json:"product_retailer_id"`
	Cards      []carouselCard
}

type replyButton struct {
	Type  string
	Reply struct{ ID, Title string }
}

// section is a part of a list, or of a list of products.
type section struct {
	Title    string
	Rows     []struct{ ID, Title, Description string }
	Products []struct {
		ID string `json:"product_retailer_id"`
	} `json:"product_items"`
}

// bodyless are the interactive messages that may do without a text.
var bodyless = []string{"product", "call_permission_request"}

func (s *Simulator) checkInteractive(raw json.RawMessage, m *Message) *graphError {
	var in interactive
	if bad := decode(raw, "interactive", &in); bad != nil {
		return bad
	}
	if in.Action == nil {
		return missing("interactive.action")
	}
	longest := 1024
	if in.Type == "list" {
		longest = 4096
	}
	switch {
	case in.Body != nil:
		m.Text = in.Body.Text
		if bad := limit("interactive.body.text", in.Body.Text, 1, longest); bad != nil {
			return bad
		}
	case !slices.Contains(bodyless, in.Type):
		return missing("interactive.body")
	}
	if in.Footer != nil {
		m.Footer = in.Footer.Text
		if bad := limit("interactive.footer.text", in.Footer.Text, 1, 60); bad != nil {
			return bad
		}
	}
	return first(s.checkHeader(&in, m), s.checkAction(&in, m))
}

func (s *Simulator) checkHeader(in *interactive, m *Message) *graphError {
	if in.Header == nil {
		if in.Type == "product_list" {
			return missing("interactive.header")
		}
		return nil
	}
	if in.Type == "carousel" || in.Type == "product" {
		return badValue("interactive.header is not allowed for type %s", in.Type)
	}
	files := map[string]json.RawMessage{"image": in.Header.Image, "video": in.Header.Video, "document": in.Header.Document}
	switch raw := files[in.Header.Type]; {
	case in.Header.Type == "text":
		m.Header = in.Header.Text
		return limit("interactive.header.text", in.Header.Text, 1, 60)
	case in.Type == "list" || in.Type == "product_list":
		return badValue("interactive.header.type of a list is text")
	case raw == nil:
		return badValue("interactive.header.type must be text, image, video or document, with the object of that name")
	default:
		return s.checkHeaderFile(in.Header.Type, raw, m)
	}
}

// checkHeaderFile checks a file above a text; the file has no caption of its own.
func (s *Simulator) checkHeaderFile(kind string, raw json.RawMessage, m *Message) *graphError {
	file := Message{Number: m.Number, Type: kind}
	if bad := s.checkMedia(raw, &file); bad != nil {
		return bad
	}
	m.Media, m.Link = file.Media, file.Link
	return nil
}

func (s *Simulator) checkAction(in *interactive, m *Message) *graphError {
	a := in.Action
	if name, ok := actionNames[in.Type]; ok && a.Name != name {
		return badValue("interactive.action.name must be %s", name)
	}
	switch in.Type {
	case "button":
		return checkButtons(a.Buttons, m)
	case "list":
		m.Menu = a.Button
		return first(limit("interactive.action.button", a.Button, 1, 20), checkSections(a.Sections, m))
	case "cta_url":
		return checkLink(a.Parameters, m)
	case "location_request_message":
		m.Options = []Option{{ID: "location", Title: "Send location", Kind: "location"}}
		return nil
	case "call_permission_request":
		m.Options = []Option{{ID: "permission", Title: "Choose whether to be called", Kind: "permission"}}
		return nil
	case "request_contact_info":
		m.Options = []Option{{ID: "contact", Title: "Share my contact", Kind: "contact"}}
		return nil
	case "flow":
		return checkFlow(a.Parameters, m)
	case "voice_call":
		return checkCallButton(a.Parameters, m)
	case "address_message":
		return checkAddress(a.Parameters, m)
	case "product", "product_list", "catalog_message":
		return checkProducts(in, m)
	case "carousel":
		return s.checkCarousel(in, m)
	case "order_details", "order_status":
		return checkPayment(in, m)
	case "":
		return missing("interactive.type")
	}
	return badValue("interactive.type '%s' is not one that Meta documents", in.Type)
}

// actionNames has the name that an action has to have.
var actionNames = map[string]string{
	"cta_url": "cta_url", "location_request_message": "send_location", "call_permission_request": "call_permission_request",
	"request_contact_info": "request_contact_info", "flow": "flow", "voice_call": "voice_call",
	"address_message": "address_message", "catalog_message": "catalog_message",
	"order_details": "review_and_pay", "order_status": "review_order",
}

func checkButtons(buttons []replyButton, m *Message) *graphError {
	if len(buttons) < 1 || len(buttons) > 3 {
		return badValue("action.buttons needs 1 to 3 buttons")
	}
	ids, titles := map[string]bool{}, map[string]bool{}
	for _, b := range buttons {
		if b.Type != "reply" {
			return badValue("action.buttons.type must be reply")
		}
		if bad := first(limit("button id", b.Reply.ID, 1, 256), limit("button title", b.Reply.Title, 1, 20)); bad != nil {
			return bad
		}
		if ids[b.Reply.ID] || titles[b.Reply.Title] {
			return badValue("ids and titles of buttons must differ")
		}
		ids[b.Reply.ID], titles[b.Reply.Title] = true, true
		m.Options = append(m.Options, Option{ID: b.Reply.ID, Title: b.Reply.Title, Kind: "button_reply"})
	}
	return nil
}

func checkSections(sections []section, m *Message) *graphError {
	if len(sections) < 1 || len(sections) > 10 {
		return badValue("action.sections needs 1 to 10 sections")
	}
	seen := map[string]bool{}
	for _, section := range sections {
		least := 0
		if len(sections) > 1 {
			least = 1
		}
		if bad := limit("section title", section.Title, least, 24); bad != nil {
			return bad
		}
		for _, row := range section.Rows {
			if bad := first(limit("row id", row.ID, 1, 200), limit("row title", row.Title, 1, 24),
				limit("row description", row.Description, 0, 72)); bad != nil {
				return bad
			}
			if seen[row.ID] {
				return badValue("ids of rows must differ")
			}
			seen[row.ID] = true
			m.Options = append(m.Options, Option{ID: row.ID, Title: row.Title, Description: row.Description,
				Section: section.Title, Kind: "list_reply"})
		}
	}
	if len(m.Options) < 1 || len(m.Options) > 10 {
		return badValue("a list has 1 to 10 rows in all its sections together")
	}
	return nil
}

func checkLink(raw json.RawMessage, m *Message) *graphError {
	var link struct {
		Text string `json:"display_text"`
		URL  string
	}
	if len(raw) == 0 {
		return missing("action.parameters")
	}
	if bad := decode(raw, "action.parameters", &link); bad != nil {
		return bad
	}
	if u, err := url.Parse(link.URL); err != nil || u.Host == "" {
		return badValue("action.parameters.url is not a URL")
	}
	m.URL, m.URLText = link.URL, link.Text
	return limit("action.parameters.display_text", link.Text, 1, 20)
}
