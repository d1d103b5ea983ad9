package whatsapp

import (
	"encoding/json"
	"slices"
)

// Limits of interactive messages, in characters where not said otherwise.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages#interactive-object
const (
	maxPromptBody  = 1024
	maxListBody    = 4096
	maxHeaderText  = 60
	maxFooter      = 60
	maxReplies     = 3 // buttons
	maxReplyID     = 256
	maxReplyTitle  = 20
	maxListButton  = 20
	maxSections    = 10 // sections
	maxSection     = 24 // its title
	maxRows        = 10 // in all sections together
	maxRowID       = 200
	maxRowTitle    = 24
	maxRowText     = 72
	maxLinkLabel   = 20
	maxFlowLabel   = 30
	maxCallLabel   = 20
	maxCallMinutes = 43200 // 30 days
	maxCallPayload = 512
)

// mediaHeaders are the types of header that are a file.
var mediaHeaders = []string{"image", "video", "document"}

var (
	anyHeader  = append([]string{"text"}, mediaHeaders...)
	textHeader = []string{"text"}
	noHeader   []string
)

// shape is what a type of interactive message may and must have.
type shape struct {
	headers    []string // the types of header that it may have
	headerMust bool
	body       int  // most characters
	bodyMay    bool // it may be missing
	footerless bool
	name       string // of its action, where that has one
	action     func(part)
}

// shapes are the types of interactive message that Meta documents. Where its
// pages are silent about a header or footer, one is let pass.
var shapes = map[string]shape{
	"button":                   {headers: anyHeader, body: maxPromptBody, action: checkReplies},
	"list":                     {headers: textHeader, body: maxListBody, action: checkList},
	"cta_url":                  {headers: anyHeader, body: maxPromptBody, name: "cta_url", action: checkLinkButton},
	"location_request_message": {headers: noHeader, body: maxPromptBody, footerless: true, name: "send_location"},
	"flow":                     {headers: anyHeader, body: maxPromptBody, name: "flow", action: checkFlow},
	"product":                  {headers: noHeader, body: maxPromptBody, bodyMay: true, action: checkProduct},
	"product_list":             {headers: textHeader, headerMust: true, body: maxPromptBody, action: checkProducts},
	"catalog_message":          {headers: noHeader, body: maxPromptBody, name: "catalog_message", action: checkCatalog},
	"carousel":                 {headers: noHeader, body: maxPromptBody, footerless: true, action: checkCarousel},
	"voice_call":               {headers: anyHeader, body: maxPromptBody, name: "voice_call", action: checkCallButton},
	"call_permission_request":  {headers: anyHeader, body: maxPromptBody, bodyMay: true, name: "call_permission_request"},
	"request_contact_info":     {headers: anyHeader, body: maxPromptBody, name: "request_contact_info"},
	"address_message":          {headers: anyHeader, body: maxPromptBody, name: "address_message", action: checkAddress},
	"order_details":            {headers: anyHeader, body: maxPromptBody, name: "review_and_pay", action: checkOrder},
	"order_status":             {headers: anyHeader, body: maxPromptBody, name: "review_order", action: checkOrderStatus},
}

// checkInteractive checks an interactive object. Of a type that isn't known,
// for Meta adds types, it checks what all have in common.
func checkInteractive(raw json.RawMessage) error {
	if _, ok := read(raw); !ok {
		return invalid("interactive content is not an object")
	}
	_, err := checked("interactive", raw, func(m part) {
		kind := m.at("type").id()
		s, known := shapes[kind]
		if !known {
			s = shape{headers: anyHeader, body: maxListBody, bodyMay: true}
		}
		s.check(m, known)
	})
	return err
}

func (s shape) check(m part, known bool) {
	s.checkHeader(m.at("header"), known)
	if m.has("body") || !s.bodyMay {
		if m.at("body").object() {
			m.at("body.text").text(1, s.body)
		}
	}
	switch footer := m.at("footer"); {
	case s.footerless:
		footer.forbid("this type has no footer")
	case footer.value != nil && footer.object():
		footer.at("text").text(1, maxFooter)
	}
	if !known || !m.at("action").object() {
		return
	}
	if s.name != "" {
		m.at("action.name").choice(true, s.name)
	}
	if s.action != nil {
		s.action(m.at("action"))
	}
}

func (s shape) checkHeader(header part, known bool) {
	switch {
	case header.value == nil && s.headerMust:
		header.fail("missing")
	case header.value == nil:
	case len(s.headers) == 0:
		header.fail("this type has no header")
	case !header.object():
	case known:
		checkHeader(header, header.at("type").choice(true, s.headers...))
	default:
		checkHeader(header, header.at("type").id())
	}
}

// checkHeader checks the content of a header of a type.
func checkHeader(header part, kind string) {
	switch {
	case kind == "text":
		header.at("text").text(1, maxHeaderText)
	case slices.Contains(mediaHeaders, kind):
		checkFile(header.at(kind))
	}
}

// checkFile checks a file in a header or a template's parameter.
func checkFile(file part) {
	switch id, link := file.at("id"), file.at("link"); {
	case !file.object():
	case (id.value == nil) == (link.value == nil):
		file.fail("needs either an id or a link")
	case link.value != nil:
		link.link()
	default:
		id.id()
	}
}

func checkReplies(action part) {
	buttons := action.at("buttons").list(1, maxReplies, "buttons")
	for _, b := range buttons {
		b.at("type").choice(true, "reply")
		checkReply(b.at("reply"))
	}
	unique(buttons, "reply.id")
	unique(buttons, "reply.title")
}

func checkReply(reply part) {
	if reply.object() {
		reply.at("id").text(1, maxReplyID)
		reply.at("title").text(1, maxReplyTitle)
	}
}

func checkList(action part) {
	action.at("button").text(1, maxListButton)
	sections := action.at("sections").list(1, maxSections, "sections")
	var rows []part
	for _, s := range sections {
		checkSectionTitle(s, len(sections))
		rows = append(rows, s.at("rows").list(1, unbounded, "rows")...)
	}
	action.at("sections").limit(len(rows), 1, maxRows, "rows")
	for _, r := range rows {
		r.at("id").text(1, maxRowID)
		r.at("title").text(1, maxRowTitle)
		r.at("description").text(0, maxRowText)
	}
	unique(rows, "id")
}

// checkSectionTitle checks a title, which only an only section may go without.
func checkSectionTitle(section part, sections int) {
	section.at("title").text(min(sections-1, 1), maxSection)
}

func checkLinkButton(action part) {
	if parameters := action.at("parameters"); parameters.object() {
		parameters.at("display_text").text(1, maxLinkLabel)
		parameters.at("url").link()
	}
}

// checkFlow checks the button of a form.
// https://developers.facebook.com/docs/whatsapp/flows/guides/sendingaflow
func checkFlow(action part) {
	p := action.at("parameters")
	if !p.object() {
		return
	}
	p.at("flow_message_version").choice(true, "3")
	if p.has("flow_id") == p.has("flow_name") {
		p.fail("needs either a flow_id or a flow_name")
	}
	p.at("flow_cta").text(1, maxFlowLabel)
	p.at("flow_token").text(0, unbounded)
	p.at("mode").choice(false, "draft", "published")
	payload := p.at("flow_action_payload")
	switch p.at("flow_action").choice(false, "navigate", "data_exchange") {
	case "data_exchange":
		payload.forbid("not with flow_action data_exchange")
	default:
		if payload.value != nil && payload.object() {
			payload.at("screen").id()
		}
	}
}

func checkCallButton(action part) {
	p := action.at("parameters")
	if p.value == nil || !p.object() {
		return // without them Meta writes the button and keeps it for 7 days
	}
	p.at("display_text").text(0, maxCallLabel)
	p.at("payload").text(0, maxCallPayload)
	if p.has("ttl_minutes") {
		p.at("ttl_minutes").number(1, maxCallMinutes, "minutes")
	}
}

// checkAddress checks a request for an address, which Meta offers in India.
func checkAddress(action part) {
	p := action.at("parameters")
	if !p.object() {
		return
	}
	if s := p.at("country").id(); s != "" && !countryCode.MatchString(s) {
		p.at("country").fail("not two letters")
	}
	if p.has("values") {
		p.at("values").object()
	}
	for _, a := range p.at("saved_addresses").list(0, unbounded, "addresses") {
		a.at("id").id()
		a.at("value").object()
	}
}
