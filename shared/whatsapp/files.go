package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strings"
)

// MediaInfo describes a file on Meta's servers.
type MediaInfo struct {
	ID     string
	URL    string // valid for 5 minutes; holds a secret: never log it
	MIME   string
	SHA256 string // hex or base64
	Size   int64  // bytes; 0 where Meta doesn't say
}

// MediaInfo asks for the address of a file. With number, a phone_number_id,
// Meta refuses a file that belongs to another number.
func (c *Client) MediaInfo(ctx context.Context, mediaID, number string) (MediaInfo, error) {
	query := url.Values{}
	if number != "" {
		query.Set("phone_number_id", number)
	}
	f, err := c.get(ctx, query, mediaID)
	if err != nil {
		return MediaInfo{}, err
	}
	info := MediaInfo{
		ID: f.text("id"), URL: f.text("url"), MIME: f.text("mime_type"),
		SHA256: f.text("sha256"), Size: f.integer("file_size"),
	}
	if info.URL == "" {
		return MediaInfo{}, &Error{HTTPStatus: 200, Class: ClassTransient, Err: errUnreadable}
	}
	return info, nil
}

// Download is a file on its way. The caller closes Body.
type Download struct {
	Body        io.ReadCloser
	ContentType string
	Size        int64 // bytes, -1 where the server doesn't say
}

// Download opens a file by its address. The access token goes to the client's
// own origin and over https to *.fbsbx.com and *.fbcdn.net, where Meta keeps
// files; any other address is [ErrUntrustedURL] before a request is made. A
// redirect is not followed. An answer in JSON or HTML is an error, because
// that is how Meta reports one; for a file of such a type see DownloadMedia.
// Status 404 means that the address has expired.
func (c *Client) Download(ctx context.Context, address string) (*Download, error) {
	return c.DownloadMedia(ctx, MediaInfo{URL: address})
}

// DownloadMedia opens a file as Download does, and accepts JSON or HTML where
// info says that this is the file's own type.
func (c *Client) DownloadMedia(ctx context.Context, info MediaInfo) (*Download, error) {
	if err := c.trust(info.URL); err != nil {
		return nil, err
	}
	req, err := c.request(ctx, http.MethodGet, info.URL, nil)
	if err != nil {
		return nil, err
	}
	// The bytes as they are: their hash is compared with the declared one.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := c.do(req)
	if err != nil {
		return nil, err
	}
	contentType := resp.Header.Get("Content-Type")
	if resp.StatusCode == http.StatusOK && (!isPage(contentType) || sameType(contentType, info.MIME)) {
		return &Download{Body: resp.Body, ContentType: contentType, Size: resp.ContentLength}, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &Error{HTTPStatus: resp.StatusCode, Class: ClassTransient, Err: err}
	}
	e := refusal(resp, body)
	if resp.StatusCode/100 == 2 && !e.object {
		e.Class, e.Err = ClassTransient, errNotMedia
	}
	return nil, e
}

// trust refuses every address that must not see the token.
func (c *Client) trust(address string) error {
	base, err := c.base()
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return ErrUntrustedURL
	}
	host := strings.ToLower(u.Hostname())
	if u.Scheme == base.Scheme && host == strings.ToLower(base.Hostname()) && port(u) == port(base) {
		return nil
	}
	meta := strings.HasSuffix(host, ".fbsbx.com") || strings.HasSuffix(host, ".fbcdn.net")
	if meta && u.Scheme == "https" && port(u) == "443" {
		return nil
	}
	return ErrUntrustedURL
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

// isPage tells whether this is how errors look, rather than a file.
func isPage(contentType string) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	switch t {
	case "application/json", "text/json", "text/javascript", "text/html", "application/xhtml+xml":
		return true
	}
	return false
}

func sameType(a, b string) bool {
	x, _, err := mime.ParseMediaType(a)
	y, _, err2 := mime.ParseMediaType(b)
	return err == nil && err2 == nil && x == y
}

// Upload gives Meta a file to send, which it keeps for [UploadLife], and
// returns its id. Exactly size bytes are read from body, a piece at a time:
// memory doesn't grow with the file. A size below zero means that it isn't
// known. An error has [ClassNotSent] where nothing of the request was written;
// after any other the file may be there, under an id that nobody knows, and
// may be uploaded again.
func (c *Client) Upload(ctx context.Context, number, filename, mimeType string, size int64, body io.Reader) (string, error) {
	address, err := c.endpoint(nil, number, "media")
	if err != nil {
		return "", err
	}
	if _, _, err := mime.ParseMediaType(mimeType); err != nil {
		return "", fmt.Errorf("%w: MIME type not readable", ErrInvalid)
	}
	head, tail, contentType, err := form(filename, mimeType)
	if err != nil {
		return "", fmt.Errorf("%w: form not writable", ErrInvalid)
	}
	req, err := c.request(ctx, http.MethodPost, address, io.MultiReader(head, body, tail))
	if err != nil {
		return "", err
	}
	if size >= 0 {
		req.ContentLength = int64(head.Len()) + size + int64(tail.Len())
	}
	req.Header.Set("Content-Type", contentType)
	answer, written, err := c.exchange(req)
	var e *Error
	if errors.As(err, &e) && !written {
		e.Class = ClassNotSent
	}
	if err != nil {
		return "", err
	}
	id := answer.text("id")
	if id == "" {
		return "", &Error{HTTPStatus: 200, Class: ClassTransient, Err: errUnreadable}
	}
	return id, nil
}

// form writes what goes before and after the file.
func form(filename, mimeType string) (head, tail *bytes.Reader, contentType string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.WriteField("messaging_product", "whatsapp"); err != nil {
		return nil, nil, "", err
	}
	if err := w.WriteField("type", mimeType); err != nil {
		return nil, nil, "", err
	}
	_, err = w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("file", fileName(filename))},
		"Content-Type":        {mimeType},
	})
	if err != nil {
		return nil, nil, "", err
	}
	start := b.Len()
	if err := w.Close(); err != nil {
		return nil, nil, "", err
	}
	all := b.Bytes()
	return bytes.NewReader(all[:start]), bytes.NewReader(all[start:]), w.FormDataContentType(), nil
}

// fileName is the last element of a name. Meta wants one.
func fileName(s string) string {
	s = path.Base(strings.ReplaceAll(s, `\`, "/"))
	if s == "." || s == "/" {
		return "file"
	}
	return s
}
