package handler

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/send"
	"threadline/shared/whatsapp"
)

// A request with files is several messages, one for each file. What it says goes with the first file where WhatsApp lets
// it, and before it otherwise.

// part is one message of a request.
type part struct {
	id   chat.MessageID
	out  Outgoing
	file *crm.RequestFile
}

// parts are the messages of a request, in order. A part's key depends on its place only, so that asking again is asking
// for the same messages.
func parts(connector string, r crm.Request) []part {
	var all []part
	for _, f := range r.Files {
		all = append(all, part{file: &f, out: Outgoing{Media: &Media{Type: mediaType(f.MIME)}}})
	}
	words := part{out: Outgoing{Text: r.Text, Template: r.Template}}
	switch {
	case len(all) > 0 && r.Text == "" && r.Template == nil:
	case len(all) > 0 && r.Template == nil && all[0].takes(r.Text):
		all[0].out.Media.Caption = r.Text
	default:
		all = slices.Insert(all, 0, words)
	}
	for i := range all {
		o := &all[i].out
		o.Key, o.Origin = keyOf(connector, r), chat.FromCRM
		if i > 0 {
			o.Key += "/" + strconv.Itoa(i+1)
		}
		all[i].id = send.KeyedID("api", o.Key)
	}
	return all
}

// mediaType is the kind of message that carries a file. A document is what may be anything; whether it may be this is
// the API's to say.
func mediaType(mime string) string {
	for _, kind := range []chat.Kind{chat.KindImage, chat.KindVideo, chat.KindAudio} {
		if _, ok := whatsapp.MediaLimit(string(kind), mime); ok {
			return string(kind)
		}
	}
	return string(chat.KindDocument)
}

// takes tells whether a text can be the caption of the part's file.
func (p part) takes(text string) bool {
	return p.out.Media.Type != string(chat.KindAudio) && utf8.RuneCountInString(text) <= whatsapp.MaxCaption
}

// name is what the part's file is called, as the API takes it.
func (p part) name() string {
	const most = 240 // bytes
	name := cmp.Or(chat.Attachment{Name: p.file.Name}.SafeName(), "file"+extension(p.file.MIME))
	end := path.Ext(name)
	for stem := []rune(strings.TrimSuffix(name, end)); len(name) > most && len(stem) > 0; {
		stem = stem[:len(stem)-1]
		name = string(stem) + end
	}
	return name
}

// about says which file a problem is about.
func (p part) about(problem string) string {
	if problem == "" || p.file == nil {
		return problem
	}
	return p.name() + ": " + problem
}
