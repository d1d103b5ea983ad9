package pipedrive

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxFile is the largest file, in bytes.
const maxFile = 50 << 20

// owners are the things that a file can be associated with.
var owners = []string{"deal_id", "person_id", "org_id", "product_id", "activity_id", "lead_id"}

// upload is what a multipart body held.
type upload struct {
	name, mime, blob string
	size             int64
	person           int64
}

func (s *Simulator) postFile(r *http.Request) (answer, error) {
	u, err := s.receive(r)
	if err == nil && u.blob == "" {
		err = invalid("file is required")
	}
	if err == nil && u.size > maxFile {
		err = invalid("file is too large")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.person(u.person) == nil {
		err = notFound("Person")
	}
	if err != nil {
		s.journal.RemoveFile(u.blob) // nobody knows of it
		return answer{}, err
	}
	f := &file{ID: s.newID(), Person: u.person, Name: u.name, Stored: u.blob, MIME: u.mime, Size: u.size, Added: s.now()}
	if err := s.commit(change{File: f}); err != nil {
		return answer{}, err
	}
	return answer{data: f.render()}, nil
}

func (s *Simulator) receive(r *http.Request) (u upload, err error) {
	m, err := r.MultipartReader()
	if err != nil {
		return u, invalid("multipart/form-data is required")
	}
	for {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return u, nil
		}
		if err != nil {
			return u, invalid("the body ended early")
		}
		switch name := part.FormName(); {
		case name == "file" && u.blob == "":
			err = s.receiveBytes(part, &u)
		case slices.Contains(owners, name):
			var b []byte
			if b, err = io.ReadAll(io.LimitReader(part, 64)); name == "person_id" && err == nil {
				u.person, err = strconv.ParseInt(string(b), 10, 64)
			}
		default:
			return u, invalid("%s is not a field", name)
		}
		if err != nil {
			return u, invalid("the body ended early, or an id is no number")
		}
	}
}

func (s *Simulator) receiveBytes(part *multipart.Part, u *upload) (err error) {
	u.name = part.FileName()
	u.mime, _, _ = mime.ParseMediaType(part.Header.Get("Content-Type"))
	u.blob = strings.TrimSuffix(path.Base(u.name), path.Ext(u.name)) + "_" + strings.ToLower(rand.Text()) + path.Ext(u.name)
	u.size, err = s.journal.PutFile(u.blob, io.LimitReader(part, maxFile+1))
	return err
}

// listFiles lists a person's files. They are sorted by id or by update_time, which agree here.
func (s *Simulator) listFiles(r *http.Request) (answer, error) {
	id := pathID(r)
	if s.person(id) == nil {
		return answer{}, notFound("Person")
	}
	list := s.filesOf(id)
	switch order := r.URL.Query().Get("sort"); order {
	case "", "id", "id ASC", "update_time", "update_time ASC":
	case "id DESC", "update_time DESC":
		slices.Reverse(list)
	default:
		return answer{}, invalid("sort: %s is not supported", order)
	}
	shown, start, limit, more, err := page(r, list, 100)
	data := []any{}
	for _, f := range shown {
		data = append(data, f.render())
	}
	return answer{data: data, additional: pagination(start, limit, more)}, err
}

func (s *Simulator) filesOf(person int64) []*file {
	var list []*file
	for f := range maps.Values(s.files) {
		if f.Person == person && !f.Deleted {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *file) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (f *file) render() map[string]any {
	return map[string]any{
		"id": f.ID, "user_id": integrationUser, "person_id": f.Person, "add_time": old(f.Added), "update_time": old(f.Added),
		"name": f.Name, "file_name": f.Stored, "file_size": f.Size, "active_flag": !f.Deleted, "inline_flag": false,
		"url": "https://api.pipedrive.com/v1/files/" + strconv.FormatInt(f.ID, 10) + "/download", "description": "",
	}
}
