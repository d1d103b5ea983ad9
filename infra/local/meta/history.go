package meta

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// Import says how much of the history of the company's telephone is handed to the API, and in what pieces.
type Import struct {
	Number   string `json:"number"`   // the business number; empty: the first
	Threads  int    `json:"threads"`  // the first are those of customers with a phone number, the rest of strangers
	Messages int    `json:"messages"` // in each thread
	Chunk    int    `json:"chunk"`    // messages in a POST; 0: 1,000
	Shuffled bool   `json:"shuffled"` // the POSTs come in any order
	Media    int    `json:"media"`    // every so many messages a photo, which comes later; 0: none
	Days     int    `json:"days"`     // over how many days the messages are spread; 0: 30
	Declined bool   `json:"declined"` // the company doesn't want to share its history: Meta says so and sends nothing
}

// Imported says what was handed over.
type Imported struct {
	Phones   []string `json:"phones"` // one for each thread
	Messages int      `json:"messages"`
	Media    int      `json:"media"`
	Posts    int      `json:"posts"`
	First    string   `json:"first"` // id of the oldest message of the first thread
}

// mostImported bounds an import, which is held in memory as a whole.
const mostImported = 200_000

// declined is the code of a history that is not shared.
const declined = 2593109

// ImportHistory hands over a history: message i of thread t reads "History t/i", both from 1, odd ones are the
// customer's.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/history
func (s *Simulator) ImportHistory(in Import) (Imported, error) {
	if in.Number == "" {
		in.Number = s.opts.Numbers[0]
	}
	if in.Chunk <= 0 {
		in.Chunk = 1000
	}
	if in.Days <= 0 {
		in.Days = 30
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.isNumber(in.Number):
		return Imported{}, errNoNumber
	case !s.line(in.Number).App:
		return Imported{}, errors.New("this number is not used in the WhatsApp Business app")
	case in.Declined:
		s.post(&update{Field: "history", Number: in.Number, Customer: "history", Kind: "history", Item: object{"errors": []object{{
			"code": declined, "title": "History sharing is turned off by the business from the WhatsApp Business App",
			"message":    "History sharing is turned off by the business from the WhatsApp Business App",
			"error_data": object{"details": "History sharing is turned off by the business from the WhatsApp Business App"}}}}})
		return Imported{Posts: 1}, nil
	case in.Threads < 1 || in.Messages < 1 || in.Threads*in.Messages > mostImported:
		return Imported{}, fmt.Errorf("an import has 1 to %d messages", mostImported)
	}
	h, err := s.history(in)
	if err != nil {
		return Imported{}, err
	}
	updates := append(h.chunks(in), h.photos...)
	if in.Shuffled {
		rand.Shuffle(len(updates), func(i, j int) { updates[i], updates[j] = updates[j], updates[i] })
	}
	for _, u := range updates {
		s.post(u)
	}
	h.done.Posts = len(updates)
	return h.done, nil
}

// history is an import under construction.
type history struct {
	threads []object // with all their messages
	photos  []*update
	done    Imported
}

func (s *Simulator) history(in Import) (*history, error) {
	h := &history{}
	var photo *file
	if in.Media > 0 {
		f, err := s.sampleFile("photo", in.Number)
		if err != nil {
			return nil, err
		}
		photo = f
		s.keepMedia(photo)
	}
	h.done.Phones = s.historyPhones(in.Threads)
	for t, phone := range h.done.Phones {
		messages, err := s.thread(h, in, t+1, phone, photo)
		if err != nil {
			return nil, err
		}
		h.threads = append(h.threads, object{"id": phone, "messages": messages})
	}
	return h, nil
}

// historyPhones names the other side of each thread.
func (s *Simulator) historyPhones(n int) []string {
	var phones []string
	for _, c := range s.state.Customers {
		if c.shared() != "" && len(phones) < n {
			phones = append(phones, c.Phone)
		}
	}
	for i := 0; len(phones) < n; i++ {
		phones = append(phones, fmt.Sprintf("1303555%04d", i))
	}
	return phones
}

// thread makes the messages of a thread, the newest an hour ago, and the POSTs that bring its photos.
func (s *Simulator) thread(h *history, in Import, t int, phone string, photo *file) ([]object, error) {
	states := []string{"READ", "DELIVERED", "SENT", "PLAYED"}
	step := time.Duration(in.Days) * 24 * time.Hour / time.Duration(in.Messages)
	newest := s.opts.Now().Add(-time.Hour)
	var messages []object
	for i := 1; i <= in.Messages; i++ {
		from := phone
		if i%2 == 0 {
			from = s.displayNumber(in.Number)
		}
		m := object{"from": from, "id": newWAMID(), "timestamp": seconds(newest.Add(-step * time.Duration(in.Messages-i)))}
		words := fmt.Sprintf("History %d/%d", t, i)
		switch {
		case in.Media > 0 && i%in.Media == 0:
			if err := s.bringPhoto(h, in, m, photo, words); err != nil {
				return nil, err
			}
			m["type"] = "media_placeholder"
		default:
			m["type"], m["text"] = "text", object{"body": words}
		}
		m["history_context"] = object{"status": states[i%len(states)]}
		messages = append(messages, m)
		h.done.Messages++
		if h.done.First == "" {
			h.done.First = m["id"].(string)
		}
	}
	return messages, nil
}

// bringPhoto plans the POST that brings the file of a placeholder.
func (s *Simulator) bringPhoto(h *history, in Import, placeholder object, photo *file, caption string) error {
	f, err := s.copyFile(photo, in.Number)
	if err != nil {
		return err
	}
	s.keepMedia(f)
	face := Message{Face: Face{Text: caption}}
	content, err := s.composeMedia(&face, f, false)
	if err != nil {
		return err
	}
	h.done.Media++
	h.photos = append(h.photos, &update{Field: "history", Number: in.Number, Customer: "history", Kind: "messages", Item: object{
		"from": placeholder["from"], "id": placeholder["id"], "timestamp": placeholder["timestamp"], "type": "image", "image": content}})
	return nil
}

// chunks cuts the threads into POSTs of so many messages, the parts of one thread in different ones if need be.
func (h *history) chunks(in Import) []*update {
	var chunks []object
	var threads []object
	room := in.Chunk
	cut := func() {
		if len(threads) > 0 {
			chunks = append(chunks, object{"threads": threads})
		}
		threads, room = nil, in.Chunk
	}
	for _, thread := range h.threads {
		messages := thread["messages"].([]object)
		for len(messages) > 0 {
			part := min(room, len(messages))
			threads = append(threads, object{"id": thread["id"], "messages": messages[:part]})
			if messages, room = messages[part:], room-part; room == 0 {
				cut()
			}
		}
	}
	cut()
	var updates []*update
	for i, chunk := range chunks {
		chunk["metadata"] = object{"phase": 3 * i / len(chunks), "chunk_order": i + 1, "progress": 100 * (i + 1) / len(chunks)}
		updates = append(updates, &update{Field: "history", Number: in.Number, Customer: "history", Kind: "history", Item: chunk, Alone: true})
	}
	return updates
}

// sampleFile stores a sample as if somebody had sent it.
func (s *Simulator) sampleFile(kind, number string) (*file, error) {
	upload, err := sample(kind, s.opts.Now())
	if err != nil {
		return nil, err
	}
	return s.receiveFile(Draft{Number: number, File: upload})
}

// copyFile gives the bytes of a file a second id.
func (s *Simulator) copyFile(f *file, number string) (*file, error) {
	again := *f
	again.ID, again.Number, again.Inbound, again.At = newMediaID(), number, true, s.opts.Now()
	if err := os.Link(s.mediaPath(f.ID), s.mediaPath(again.ID)); err != nil {
		return nil, fmt.Errorf("copy a file: %w", err)
	}
	return &again, nil
}
