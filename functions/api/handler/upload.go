package handler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Files to send. Their bytes go straight into the bucket by a signed request, so that neither API Gateway's 10 MB nor
// Lambda's 6 MB limits them; the sender gives them to Meta when they are first sent.

// uploadFor is how long a signed request works.
const uploadFor = 15 * time.Minute

// upload describes a file that is to be sent.
type upload struct {
	Name   string `json:"name"`
	MIME   string `json:"mime"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"` // hex
}

type uploadView struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Expires time.Time         `json:"expires"`
}

func (a *API) postMedia(w http.ResponseWriter, r *http.Request) error {
	var u upload
	if err := httpapi.Decode(r, &u); err != nil {
		return err
	}
	sum, err := u.check()
	if err != nil {
		return err
	}
	f := store.File{ID: a.Store.NewFileID(), Name: u.Name, MIME: u.MIME, SHA256: u.SHA256, Size: u.Size}
	f.Key = store.FileKey(f.ID)
	signed, err := a.Links.UploadLink(r.Context(), f.Key, f.Size, blob.PutOptions{ContentType: f.MIME, SHA256: sum}, uploadFor)
	if err != nil {
		return unsigned(err)
	}
	if err := a.Store.PutFile(r.Context(), f); err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusCreated, uploadView{
		ID: f.ID, Method: signed.Method, URL: signed.URL, Headers: signed.Headers, Expires: a.now().Add(uploadFor).UTC().Truncate(time.Second),
	})
}

// unsigned is the failure to sign a request to the bucket: the credentials for it couldn't be had.
func unsigned(err error) error {
	return chat.E(chat.Unavailable, "the file store can't be reached at the moment: try again", err)
}

// maxName is how long the name of a file may be, in bytes.
const maxName = 240

// check refuses what no kind of message could carry, and returns the declared hash. It writes the type in one way, which
// holds nothing that doesn't belong into a header.
func (u *upload) check() (sum []byte, err error) {
	t, parameters, err := mime.ParseMediaType(u.MIME)
	if u.MIME = mime.FormatMediaType(t, parameters); err != nil || !strings.Contains(u.MIME, "/") {
		return nil, invalid("mime", "use a type such as image/jpeg")
	}
	path := strings.ContainsAny(u.Name, `/\`) || u.Name == "." || u.Name == ".."
	if u.Name == "" || len(u.Name) > maxName || path || strings.ContainsFunc(u.Name, unicode.IsControl) {
		return nil, invalid("name", fmt.Sprintf("use a file name of at most %d bytes, without a path", maxName))
	}
	if err := u.fits(); err != nil {
		return nil, err
	}
	if u.SHA256 == "" {
		return nil, nil
	}
	u.SHA256 = strings.ToLower(u.SHA256)
	sum, err = hex.DecodeString(u.SHA256)
	if err != nil || len(sum) != sha256.Size {
		return nil, invalid("sha256", "use 64 hexadecimal digits")
	}
	return sum, nil
}

// fits refuses a size or a type that no kind of message takes.
func (u *upload) fits() error {
	if u.Size <= 0 {
		return invalid("size", "use the file's length in bytes")
	}
	most, known := int64(0), false
	for _, kind := range []string{"image", "video", "audio", "document", "sticker"} {
		if n, ok := whatsapp.MediaLimit(kind, u.MIME); ok {
			most, known = max(most, n), true
		}
	}
	if !known {
		return invalid("mime", "WhatsApp takes no files of this type: put it into a PDF, or send a link")
	}
	if u.Size > most {
		return tooLarge("size", u.Size, most)
	}
	return nil
}

func tooLarge(field string, size, most int64) error {
	return invalid(field, fmt.Sprintf("%d bytes, and WhatsApp takes at most %d of this type", size, most))
}

// file completes a message with the uploaded file that it names, if its kind may carry it.
func (a *API) file(ctx context.Context, m *chat.Message) error {
	if m.Attachment == nil || !store.IsFileID(m.Attachment.MediaID) {
		return nil
	}
	f, err := a.Store.File(ctx, m.Attachment.MediaID)
	if chat.CodeOf(err) == chat.NotFound {
		return invalid("media.id", "there is no such file")
	}
	if err != nil {
		return err
	}
	if err := carries(*m, f); err != nil {
		return err
	}
	there, err := a.Files.Head(ctx, f.Key)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return invalid("media.id", "the file's bytes haven't been uploaded (yet)")
	case err != nil:
		return chat.E(chat.Unavailable, "", fmt.Errorf("look for a file: %w", err))
	case there.Size != f.Size:
		return invalid("media.id", fmt.Sprintf("%d bytes were uploaded, and %d announced: upload it anew", there.Size, f.Size))
	}
	at := m.Attachment
	at.State, at.MediaID, at.Key, at.MIME, at.Size, at.SHA256 = chat.Stored, "", f.Key, f.MIME, f.Size, f.SHA256
	if m.Kind == chat.KindDocument { // Meta takes no name for the others
		at.Name = cmp.Or(at.Name, f.Name)
	}
	return nil
}

// carries refuses a file that a message of this kind can't carry.
func carries(m chat.Message, f store.File) error {
	most, ok := whatsapp.MediaLimit(string(m.Kind), f.MIME)
	if !ok {
		return invalid("media.type", fmt.Sprintf("WhatsApp takes no %s of the type %s", m.Kind, f.MIME))
	}
	if f.Size > most {
		return tooLarge("media.id", f.Size, most)
	}
	if _, ok := whatsapp.MediaLimit("voice", f.MIME); m.Attachment.Voice && !ok {
		return invalid("media.voice", "a voice note is audio/ogg with the Opus codec")
	}
	return nil
}
