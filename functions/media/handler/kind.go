package handler

import (
	"bufio"
	"io"
	"mime"
	"net/http"
	"strings"
)

// sniffed is how many bytes tell what a file is.
const sniffed = 512

// peek returns the body unread and what its first bytes are.
func peek(body io.Reader) (io.Reader, string, error) {
	r := bufio.NewReaderSize(body, sniffed)
	head, err := r.Peek(sniffed)
	if err != nil && err != io.EOF {
		return nil, "", err
	}
	return r, http.DetectContentType(head), nil
}

// Types that many formats have in common, and that therefore contradict nothing.
var vague = map[string]bool{
	"application/octet-stream": true, "text/plain": true, "application/zip": true, "application/x-gzip": true,
}

// family is what two types must have in common to be the same kind of file: containers hold sound as well as pictures.
func family(t string) string {
	kind, _, _ := strings.Cut(t, "/")
	switch {
	case t == "application/ogg", kind == "audio", kind == "video":
		return "recording"
	case kind == "image":
		return t // a JPEG is no PNG
	case t == "text/html", t == "text/xml", t == "application/xhtml+xml", t == "image/svg+xml":
		return "markup"
	}
	return t
}

// contradicts tells whether the bytes are something else than was declared.
func contradicts(declared, found string) bool {
	want, _, err := mime.ParseMediaType(declared)
	is, _, err2 := mime.ParseMediaType(found)
	if err != nil || err2 != nil || vague[is] {
		return false
	}
	if vague[want] || strings.HasPrefix(want, "application/") && want != "application/pdf" {
		return false // documents come in any form, under any name
	}
	return family(want) != family(is)
}

// isPage tells whether the bytes are markup, which is also what a server's error looks like.
func isPage(found string) bool { return strings.HasPrefix(found, "text/html") }
