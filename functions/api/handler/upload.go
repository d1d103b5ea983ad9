package handler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Files to send. Their bytes go straight into the bucket by a signed request, so that neither API Gateway's 10 MB nor
// Lambda's 6 MB limits them; the sender gives them to Meta when they are first sent.

const (
	uploads   = "uploads/" // where the bucket keeps them, by id
	uploadFor = 15 * time.Minute
)

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
	f.Key = uploads + f.ID
	signed, err := a.Links.UploadLink(r.Context(), f.Key, f.Size, blob.PutOptions{ContentType: f.MIME, SHA256: sum}, uploadFor)
	if err != nil {
		return err
	}
	if err := a.Store.PutFile(r.Context(), f); err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusCreated, uploadView{
		ID: f.ID, Method: signed.Method, URL: signed.URL, Headers: signed.Headers, Expires: a.now().Add(uploadFor).UTC().Truncate(time.Second),
	})
}

// maxName is how long the name of a file may be, in bytes.
const maxName = 240

// check refuses what no kind of message could carry, and returns the declared hash.
func (u *upload) check() (sum []byte, err error) {
	if _, _, err := mime.ParseMediaType(u.MIME); err != nil {
		return nil, invalid("mime", "use a type such as image/jpeg")
	}
	if u.Name == "" || len(u.Name) > maxName || strings.ContainsAny(u.Name, "/\\\x00\r\n") {
		return nil, invalid("name", fmt.Sprintf("use a file name of at most %d bytes, without a path", maxName))
	}
	if u.Size <= 0 {
		return nil, invalid("size", "use the file's length in bytes")
	}
	most := int64(0)
	for _, kind := range []string{"image", "video", "audio", "document", "sticker"} {
		if n, ok := whatsapp.MediaLimit(kind, u.MIME); ok {
			most = max(most, n)
		}
	}
	if u.Size > most {
		return nil, invalid("size", fmt.Sprintf("%d bytes, and WhatsApp takes at most %d of this type", u.Size, most))
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

// file completes a message with the uploaded file that it names, if its kind may carry it.
func (a *API) file(ctx context.Context, m *chat.Message) error {
	if m.Attachment == nil || !strings.HasPrefix(m.Attachment.MediaID, "f_") {
		return nil
	}
	f, err := a.Store.File(ctx, m.Attachment.MediaID)
	if chat.CodeOf(err) == chat.NotFound {
		return invalid("media.id", "there is no such file")
	}
	if err != nil {
		return err
	}
	if _, err := a.Files.Head(ctx, f.Key); errors.Is(err, blob.ErrNotFound) {
		return invalid("media.id", "the file's bytes haven't been uploaded (yet)")
	} else if err != nil {
		return chat.E(chat.Unavailable, "", fmt.Errorf("look for a file: %w", err))
	}
	most, ok := whatsapp.MediaLimit(string(m.Kind), f.MIME)
	if !ok {
		return invalid("media.type", fmt.Sprintf("WhatsApp takes no %s of type %s", m.Kind, f.MIME))
	}
	if f.Size > most {
		return invalid("media.id", fmt.Sprintf("%d bytes, and WhatsApp takes at most %d of this type", f.Size, most))
	}
	if m.Attachment.Voice && !strings.HasPrefix(f.MIME, "audio/ogg") {
		return invalid("media.voice", "a voice note is audio/ogg with the Opus codec")
	}
	at := m.Attachment
	at.State, at.MediaID, at.Key, at.MIME, at.Size, at.SHA256 = chat.Stored, "", f.Key, f.MIME, f.Size, f.SHA256
	if at.Name == "" {
		at.Name = f.Name
	}
	return nil
}
