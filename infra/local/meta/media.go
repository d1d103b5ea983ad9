package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	downloadPath = "/whatsapp_business/attachments/"
	// How long things live: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
	urlLife      = 5 * time.Minute
	uploadLife   = 30 * 24 * time.Hour
	inboundLife  = 7 * 24 * time.Hour
	largestMedia = 100 << 20
)

type mediaKind struct {
	size  int64
	types []string
}

// mediaKinds has what each kind of message takes.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types
var mediaKinds = map[string]mediaKind{
	"image":   {5 << 20, []string{"image/jpeg", "image/png"}},
	"video":   {16 << 20, []string{"video/mp4", "video/3gpp"}},
	"audio":   {16 << 20, []string{"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}},
	"sticker": {500 << 10, []string{"image/webp"}},
	"document": {largestMedia, []string{"text/plain", "application/pdf", "application/msword",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.ms-excel",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.ms-powerpoint",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation"}},
}

// takes tells whether a message of this kind may carry a file of the MIME type. A document carries anything that can
// be uploaded.
func (k mediaKind) takes(mimeType string) bool {
	base, _, err := mime.ParseMediaType(mimeType)
	return err == nil && (k.size == largestMedia || slices.Contains(k.types, base))
}

// sizeLimit is the largest file that Meta takes of a MIME type, and false of a type that it does not take.
func sizeLimit(mimeType string) (int64, bool) {
	base, _, _ := mime.ParseMediaType(mimeType)
	for _, kind := range mediaKinds {
		if slices.Contains(kind.types, base) {
			return kind.size, true
		}
	}
	return 0, false
}

// uploadMedia takes the multipart form of POST /{number}/media.
func (s *Simulator) uploadMedia(w http.ResponseWriter, r *http.Request) *graphError {
	number := r.PathValue("node")
	if !s.isNumber(number) {
		return unknownObject(number)
	}
	form, err := r.MultipartReader()
	if err != nil {
		return badParam("The body must be multipart/form-data")
	}
	var product, declared string
	var f *file
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return badParam("The multipart body is broken")
		}
		switch part.FormName() {
		case "messaging_product":
			product = field(part)
		case "type":
			declared = field(part)
		case "file":
			f, err = s.store(part, largestMedia)
			if err != nil {
				return &graphError{Code: 131053, Details: "The file could not be read or is larger than 100 MB"}
			}
			f.Number, f.Name, f.MIME = number, part.FileName(), part.Header.Get("Content-Type")
		}
	}
	if bad := checkUpload(product, declared, f); bad != nil {
		if f != nil {
			os.Remove(s.mediaPath(f.ID))
		}
		return bad
	}
	s.mu.Lock()
	s.keepMedia(f)
	s.mu.Unlock()
	answer(w, http.StatusOK, object{"id": f.ID})
	return nil
}

// field reads a short form field.
func field(part io.Reader) string {
	raw, err := io.ReadAll(io.LimitReader(part, 256))
	if err != nil {
		return ""
	}
	return string(raw)
}

func checkUpload(product, declared string, f *file) *graphError {
	switch {
	case product != "whatsapp":
		return badParam("The parameter messaging_product is required and must be 'whatsapp'")
	case f == nil:
		return badParam("The parameter file is required")
	case f.Size == 0:
		return badParam("Param file must not be empty")
	}
	if declared != "" && (f.MIME == "" || f.MIME == "application/octet-stream") {
		f.MIME = declared
	}
	most, known := sizeLimit(f.MIME)
	if !known {
		return badParam("Param file must be a file with one of the documented types. Received file of type '%s'", f.MIME)
	}
	if f.Size > most {
		return &graphError{Code: 131053, Details: fmt.Sprintf("A file of type %s may have at most %d bytes", f.MIME, most)}
	}
	return nil
}

// store writes a file to the media folder without holding it in memory.
func (s *Simulator) store(r io.Reader, most int64) (*file, error) {
	f := &file{ID: newMediaID(), At: s.opts.Now()}
	out, err := os.OpenFile(s.mediaPath(f.ID), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store media: %w", err)
	}
	hash := sha256.New()
	f.Size, err = io.Copy(io.MultiWriter(out, hash), io.LimitReader(r, most+1))
	if err == nil && f.Size > most {
		err = fmt.Errorf("larger than %d bytes", most)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		os.Remove(out.Name())
		return nil, fmt.Errorf("store media: %w", err)
	}
	f.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return f, nil
}

// keepMedia makes a stored file known under its id.
func (s *Simulator) keepMedia(f *file) {
	s.state.Media = append(s.state.Media, f)
	s.media[f.ID] = f
	s.changed()
}

func (s *Simulator) mediaPath(id string) string { return filepath.Join(s.mediaDir(), id) }

// liveMedia returns the file unless it is unknown or has expired.
func (s *Simulator) liveMedia(id string) *file {
	f := s.media[id]
	if f == nil {
		return nil
	}
	life := uploadLife
	if f.Inbound {
		life = inboundLife
	}
	if s.opts.Now().After(f.At.Add(life)) {
		return nil
	}
	return f
}

// getMedia answers with the facts of a file and a URL that works for five minutes.
func (s *Simulator) getMedia(w http.ResponseWriter, r *http.Request) *graphError {
	id := r.PathValue("node")
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.liveMedia(id)
	if number := r.URL.Query().Get("phone_number_id"); f == nil || number != "" && number != f.Number {
		return unknownObject(id)
	}
	answer(w, http.StatusOK, object{"messaging_product": "whatsapp", "url": s.mediaURL(f), "mime_type": f.MIME,
		"sha256": f.SHA256, "file_size": f.Size, "id": f.ID})
	return nil
}

func (s *Simulator) deleteMedia(w http.ResponseWriter, r *http.Request) *graphError {
	id := r.PathValue("node")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.liveMedia(id) == nil {
		return unknownObject(id)
	}
	delete(s.media, id)
	s.state.Media = slices.DeleteFunc(s.state.Media, func(f *file) bool { return f.ID == id })
	os.Remove(s.mediaPath(id)) // the phone shows "not available" from now on
	s.changed()
	answer(w, http.StatusOK, object{"success": true})
	return nil
}

// mediaURL signs an address that works until five minutes from now.
func (s *Simulator) mediaURL(f *file) string {
	expiry := strconv.FormatInt(s.opts.Now().Add(urlLife).Unix(), 10)
	query := url.Values{"mid": {f.ID}, "ext": {expiry}, "hash": {s.mediaHash(f.ID, expiry)}}
	return strings.TrimSuffix(s.opts.BaseURL, "/") + downloadPath + "?" + query.Encode()
}

func (s *Simulator) mediaHash(id, expiry string) string {
	mac := hmac.New(sha256.New, []byte(s.opts.AppSecret))
	io.WriteString(mac, "media "+id+" "+expiry)
	return hex.EncodeToString(mac.Sum(nil))
}

// download serves the bytes. Like Meta's, it says 404 whatever is wrong with the address.
func (s *Simulator) download(w http.ResponseWriter, r *http.Request) *graphError {
	query := r.URL.Query()
	id, expiry := query.Get("mid"), query.Get("ext")
	until, err := strconv.ParseInt(expiry, 10, 64)
	s.mu.Lock()
	f, trouble := s.liveMedia(id), s.faults.Media
	s.mu.Unlock()
	signed := hmac.Equal([]byte(query.Get("hash")), []byte(s.mediaHash(id, expiry)))
	if f == nil || err != nil || !signed || s.opts.Now().Unix() > until || trouble == "gone" {
		http.NotFound(w, r)
		return nil
	}
	in, err := os.Open(s.mediaPath(id))
	if err != nil {
		http.NotFound(w, r)
		return nil
	}
	defer in.Close()
	w.Header().Set("Content-Type", f.MIME)
	if trouble == "corrupt" {
		_, _ = io.Copy(w, io.MultiReader(strings.NewReader("?"), in))
		return nil
	}
	http.ServeContent(w, r, "", f.At, in)
	return nil
}
