package webhookcrm

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// document is whatever Threadline sends. Each type uses some of the fields.
type document struct {
	Type    string `json:"type"`
	Contact struct {
		Ref       string `json:"ref"`
		Key       string `json:"key"`
		Name      string `json:"name"`
		Phone     string `json:"phone"`
		WhatsApp  string `json:"wa_id"`
		Username  string `json:"username"`
		BSUID     string `json:"bsuid"`
		Marketing string `json:"marketing"`
	} `json:"contact"`
	Entry struct {
		Ref      string    `json:"ref"`
		Key      string    `json:"key"`
		At       time.Time `json:"at"`
		HTML     string    `json:"html"`
		Messages []struct {
			Direction string `json:"direction"`
			Status    string `json:"status"`
		} `json:"messages"`
	} `json:"entry"`
	File struct {
		Key    string `json:"key"`
		Name   string `json:"name"`
		MIME   string `json:"mime"`
		Size   int64  `json:"size"`
		SHA256 string `json:"sha256"`
	} `json:"file"`
	Find struct {
		Key   string `json:"key"`
		Phone struct {
			Ways     []string `json:"ways"`
			National []string `json:"national"`
		} `json:"phone"`
	} `json:"find"`
	Request struct {
		ID      string `json:"id"`
		Problem string `json:"problem"`
	} `json:"request"`
}

// answer is what a call is answered with.
type answer struct {
	status int
	body   any
	header http.Header
}

// done answers that a thing is there: by whose ref, and whether it was made now.
func (s *Simulator) done(ref string, made bool) answer {
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	if s.options.Least {
		return answer{status: status}
	}
	return answer{status: status, body: map[string]string{"ref": ref}}
}

func wrong(status int, code string) answer {
	return answer{status: status, body: map[string]string{"error": code}}
}

// API takes Threadline's calls, on whatever path.
func (s *Simulator) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var d document
		a := s.handle(r, &d)
		s.mu.Lock()
		s.calls = append(s.calls, Call{Method: r.Method, Type: d.Type, Status: a.status, At: s.options.Now()})
		cut := s.faults.cuts()
		s.mu.Unlock()
		if cut {
			panic(http.ErrAbortHandler) // done, and nobody is told
		}
		for name, values := range a.header {
			w.Header()[name] = values
		}
		if a.body == nil {
			w.WriteHeader(a.status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_ = json.NewEncoder(w).Encode(a.body) // the caller has hung up: nobody left to tell
	})
}

func (s *Simulator) handle(r *http.Request, d *document) answer {
	if r.Method != http.MethodPost {
		return answer{status: http.StatusMethodNotAllowed}
	}
	raw, ok := s.verified(r)
	if !ok {
		return wrong(http.StatusUnauthorized, "signature")
	}
	if json.Unmarshal(raw, d) != nil || d.Type == "" {
		return wrong(http.StatusBadRequest, "not_a_document")
	}
	s.mu.Lock()
	a, refused := s.faults.refuse(s.options.Now())
	s.mu.Unlock()
	if refused {
		return a
	}
	if d.Type == "file.put.v1" {
		return s.putFile(r, *d) // not under the lock while bytes arrive
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch d.Type {
	case "contact.put.v1":
		return s.putContact(*d)
	case "contact.find.v1":
		return s.findContacts(*d)
	case "message.put.v1":
		return s.putMessage(*d)
	case "request.report.v1":
		return s.report(*d)
	}
	return answer{status: http.StatusNoContent} // a ping, or a type that this receiver doesn't need
}

// saved answers according to how a change went. Whoever gets a 500 comes again.
func saved(err error, a answer) answer {
	if err != nil {
		return wrong(http.StatusInternalServerError, "not_stored")
	}
	return a
}

var errBytes = errors.New("these aren't the bytes that were announced")
