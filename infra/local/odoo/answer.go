package odoo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
)

// reply answers in JSON. The content of a file goes in while it is read: there is a mark in its place, as in a request.
func (s *Simulator) reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	raw, err := json.Marshal(body)
	if err != nil {
		panic(http.ErrAbortHandler) // the answer breaks off
	}
	mark := []byte(`"\u0000`)
	for {
		before, after, found := bytes.Cut(raw, mark)
		_, _ = w.Write(before) // the caller has hung up: nobody left to tell
		if !found {
			return
		}
		name, rest, _ := bytes.Cut(after, []byte(`"`))
		_, _ = io.WriteString(w, `"`)
		if err := s.copyBlob(w, string(name)); err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `"`)
		raw = rest
	}
}

func (s *Simulator) copyBlob(w io.Writer, name string) error {
	in, err := s.journal.OpenFile(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := io.Copy(encoder, in); err != nil {
		return err
	}
	return encoder.Close()
}
