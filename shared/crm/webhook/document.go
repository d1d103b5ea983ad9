package webhook

import (
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// The types of documents. A change that a receiver might not understand gets a new one.
const (
	typePing    = "ping.v1"
	typeContact = "contact.put.v1"
	typeFind    = "contact.find.v1"
	typeMessage = "message.put.v1"
	typeFile    = "file.put.v1"
	typeReport  = "request.report.v1"
)

// document is what is sent. Each type has some of the parts.
type document struct {
	Type    string       `json:"type"`
	Contact *contactPart `json:"contact,omitempty"`
	Find    *findPart    `json:"find,omitempty"`
	Entry   *entryPart   `json:"entry,omitempty"`
	File    *filePart    `json:"file,omitempty"`
	Request *reportPart  `json:"request,omitempty"`
}

// contactPart names a contact, and says what is known of them where that is the point.
type contactPart struct {
	Ref       crm.ContactRef `json:"ref,omitempty"`
	Key       chat.ContactID `json:"key,omitempty"`
	Name      string         `json:"name,omitempty"`
	Phone     string         `json:"phone,omitempty"`
	Digits    string         `json:"wa_id,omitempty"`
	Country   string         `json:"country,omitempty"`
	Username  string         `json:"username,omitempty"`
	BSUID     string         `json:"bsuid,omitempty"`
	Marketing string         `json:"marketing,omitempty"`
}

// findPart asks for contacts by our key, or by a telephone number.
type findPart struct {
	Key   chat.ContactID `json:"key,omitempty"`
	Phone *phonePart     `json:"phone,omitempty"`
}

type phonePart struct {
	E164     string   `json:"e164"`
	Ways     []string `json:"ways"`
	National []string `json:"national"`
	Country  string   `json:"country,omitempty"`
}

// entryPart names an entry, and says what it shows where that is the point.
type entryPart struct {
	Ref      crm.EntryRef  `json:"ref,omitempty"`
	Key      string        `json:"key,omitempty"`
	At       time.Time     `json:"at,omitzero"`
	HTML     string        `json:"html,omitempty"`
	Text     string        `json:"text,omitempty"`
	Messages []messagePart `json:"messages,omitempty"`
	Files    []crm.FileRef `json:"files,omitempty"`
}

type messagePart struct {
	ID        chat.MessageID `json:"id"`
	At        time.Time      `json:"at"`
	Direction chat.Direction `json:"direction"`
	Kind      chat.Kind      `json:"kind"`
	Status    chat.Status    `json:"status,omitempty"`
	Author    string         `json:"author,omitempty"`
	Text      string         `json:"text,omitempty"`
	Note      string         `json:"note,omitempty"`
}

type filePart struct {
	Key    string    `json:"key"`
	Name   string    `json:"name"`
	MIME   string    `json:"mime"`
	Size   int64     `json:"size"`
	SHA256 string    `json:"sha256"`
	At     time.Time `json:"at"`
}

type reportPart struct {
	ID      string `json:"id"`
	Sent    bool   `json:"sent"`
	Unknown bool   `json:"unknown,omitempty"`
	Problem string `json:"problem,omitempty"`
}
