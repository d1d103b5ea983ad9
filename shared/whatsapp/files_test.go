package whatsapp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

func TestMediaInfo(t *testing.T) {
	for _, size := range []string{`303833`, `"303833"`} {
		c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RequestURI() != "/v26.0/media%2F1?phone_number_id=106" {
				t.Errorf("asked for %s", r.URL.RequestURI())
			}
			answer(200, `{"url":"https://lookaside.fbsbx.com/x","mime_type":"image/jpeg","sha256":"abc","file_size":`+size+`,"id":"media/1"}`)(w, r)
		})
		info, err := c.MediaInfo(t.Context(), "media/1", "106")
		if want := (MediaInfo{"media/1", "https://lookaside.fbsbx.com/x", "image/jpeg", "abc", 303833}); err != nil || info != want {
			t.Errorf("got %+v, %v", info, err)
		}
	}
	c, _ := graph(t, answer(200, `{"id":"1"}`))
	if _, err := c.MediaInfo(t.Context(), "1", ""); ClassOf(err) != ClassTransient {
		t.Errorf("without a url: %v", err)
	}
	c, _ = graph(t, answer(400, `{"error":{"code":100,"message":"`+words+`"}}`))
	_, err := c.MediaInfo(t.Context(), "1", "")
	if ClassOf(err) != ClassPermanent {
		t.Errorf("unknown id: %v", err)
	}
	tellsNothing(t, err)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Ensure that the token goes to Meta's hosts and the client's own origin, and
// that no request at all goes anywhere else.
func TestDownloadHosts(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://lookaside.fbsbx.com/whatsapp?hash=1": true, "https://a.b.fbcdn.net/x": true, "https://LOOKASIDE.FBSBX.COM:443/x": true,
		"https://graph.facebook.com/v26.0/1": true,
		"http://lookaside.fbsbx.com/x":       false, "https://lookaside.fbsbx.com:8443/x": false, "https://fbsbx.com/x": false,
		"https://evilfbsbx.com/x": false, "https://fbsbx.com.example.com/x": false, "https://lookaside.fbsbx.com./x": false,
		"https://u:p@lookaside.fbsbx.com/x": false, "https://lookaside.fbsbx.com@example.com/x": false,
		"https://example.com/?x=.fbsbx.com": false, "https://example.com/.fbcdn.net": false, "http://graph.facebook.com/x": false,
		"https://example.com#.fbsbx.com": false, `https://example.com\.fbsbx.com/`: false, "//lookaside.fbsbx.com/x": false,
		"https://www.facebook.com/x": false, "https://graph.facebook.com:444/x": false, "file:///etc/passwd": false, "": false,
		"http://127.0.0.1/x": false, "http://169.254.169.254/latest/meta-data/": false,
	} {
		requests := 0
		c := client("")
		c.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			requests++
			if r.Header.Get("Authorization") != "Bearer "+secretToken {
				t.Errorf("%s: no token", address)
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x")), Request: r}, nil
		})}
		_, err := c.Download(t.Context(), address)
		if ok && (err != nil || requests != 1) {
			t.Errorf("%s: %v after %d requests", address, err, requests)
		}
		if !ok && (!errors.Is(err, ErrUntrustedURL) || requests != 0) {
			t.Errorf("%s: %v after %d requests", address, err, requests)
		}
	}
}

func TestDownloadFollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("redirect followed, Authorization %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c, srv := graph(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/?hash=secret", status)
		})
		_, err := c.Download(t.Context(), srv.URL+"/file?hash=secret")
		var e *Error
		if !errors.As(err, &e) || e.HTTPStatus != status || e.Class != ClassTransient {
			t.Errorf("%d: %v", status, err)
		}
		tellsNothing(t, err, srv.URL, elsewhere.URL)
	}
}

func TestDownloadAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, contentType string
		status            int
		body, expect      string
		class             Class
	}{
		{"file", "image/jpeg", 200, "jpeg", "", ""},
		{"no type", "application/octet-stream", 200, "x", "image/jpeg", ""},
		{"page", "text/html; charset=utf-8", 200, "<html>", "image/jpeg", ClassTransient},
		{"JSON", "application/json", 200, `{}`, "image/jpeg", ClassTransient},
		{"error in a 200", "application/json", 200, `{"error":{"code":190}}`, "image/jpeg", ClassAccount},
		{"page that is the file", "text/html; charset=utf-8", 200, "<html>", "text/html", ""},
		{"JSON that is the file", "application/json", 200, `{}`, "application/json", ""},
		{"expired", "text/html", 404, "", "", ClassTransient},
		{"turned away on the way", "text/html", 403, "<html>", "", ClassTransient},
		{"refused", "application/json", 400, `{"error":{"code":100}}`, "", ClassPermanent},
		{"denied", "text/html", 401, "", "", ClassAccount},
		{"down", "text/html", 503, "", "", ClassTransient},
		{"partly", "image/jpeg", 206, "x", "", ClassTransient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, srv := graph(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept-Encoding") != "identity" {
					t.Error("asked for other bytes than the file's")
				}
				w.Header().Set("Content-Type", tt.contentType)
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			d, err := c.DownloadMedia(t.Context(), MediaInfo{URL: srv.URL + "/x?hash=1", MIME: tt.expect})
			if ClassOf(err) != tt.class {
				t.Fatalf("%v is %q, want %q", err, ClassOf(err), tt.class)
			}
			if err != nil {
				tellsNothing(t, err)
				return
			}
			defer d.Body.Close()
			got, err := io.ReadAll(d.Body)
			if err != nil || string(got) != tt.body || d.ContentType != tt.contentType || d.Size != int64(len(tt.body)) {
				t.Errorf("%q, %+v, %v", got, d, err)
			}
		})
	}
}

// zeros is a file of any size that takes no memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

const big = 100 << 20 // the largest document

// allocated tells how many bytes of memory f asks for in all, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestDownloadStreams(t *testing.T) {
	c, srv := graph(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Length", fmt.Sprint(big))
		io.CopyN(w, zeros{}, big)
	})
	used := allocated(func() {
		d, err := c.Download(t.Context(), srv.URL+"/x")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Body.Close()
		n, err := io.Copy(io.Discard, d.Body)
		if err != nil || n != big || d.Size != big {
			t.Errorf("%d bytes of %d, %v", n, d.Size, err)
		}
	})
	if used > 4<<20 {
		t.Errorf("%d bytes of memory for a file of %d", used, big)
	}
}

func TestUploadStreams(t *testing.T) {
	for _, size := range []int64{big, -1} {
		var got struct {
			file           int64
			length         int64
			product, kind  string
			name, fileType string
		}
		c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
			got.length = r.ContentLength
			form, err := r.MultipartReader()
			if err != nil {
				t.Error(err)
				return
			}
			for {
				part, err := form.NextPart()
				if err != nil {
					break
				}
				switch part.FormName() {
				case "messaging_product":
					b, _ := io.ReadAll(part)
					got.product = string(b)
				case "type":
					b, _ := io.ReadAll(part)
					got.kind = string(b)
				case "file":
					got.name, got.fileType = part.FileName(), part.Header.Get("Content-Type")
					got.file, _ = io.Copy(io.Discard, part)
				}
			}
			answer(200, `{"id":"777"}`)(w, r)
		})
		used := allocated(func() {
			id, err := c.Upload(t.Context(), "106", `C:\dir/a "b".pdf`, "application/pdf", size, io.LimitReader(zeros{}, big))
			if err != nil || id != "777" {
				t.Errorf("upload: %q, %v", id, err)
			}
		})
		if used > 4<<20 {
			t.Errorf("%d bytes of memory for a file of %d", used, big)
		}
		if got.file != big || got.product != "whatsapp" || got.kind != "application/pdf" || got.name != `a "b".pdf` || got.fileType != "application/pdf" {
			t.Errorf("arrived: %+v", got)
		}
		if known := got.length > 0; known != (size > 0) {
			t.Errorf("size %d gives a length of %d", size, got.length)
		}
	}
}

func TestUploadErrors(t *testing.T) {
	c, _ := graph(t, answer(400, `{"error":{"code":131053}}`))
	upload := func(number, kind string, size int64) error {
		_, err := c.Upload(t.Context(), number, "", kind, size, strings.NewReader("abc"))
		return err
	}
	if err := upload("106", "image/jpeg", 3); ClassOf(err) != ClassPermanent {
		t.Errorf("refused: %v", err)
	}
	if err := upload("106", "image/jpeg\r\nX: y", 3); !errors.Is(err, ErrInvalid) {
		t.Errorf("odd type: %v", err)
	}
	if err := upload("", "image/jpeg", 3); !errors.Is(err, ErrInvalid) {
		t.Errorf("no number: %v", err)
	}
	c, _ = graph(t, answer(200, `{}`))
	if err := upload("106", "image/jpeg", 5); err == nil {
		t.Error("a file shorter than announced was accepted")
	}
	if err := upload("106", "image/jpeg", 3); ClassOf(err) != ClassTransient {
		t.Errorf("no id: %v", err)
	}
	if name := fileName(""); name != "file" {
		t.Errorf("a file without a name is called %q", name)
	}
}

// Ensure that an upload of which nothing was written says so, and that one
// whose file breaks off in the middle doesn't.
func TestUploadNotWritten(t *testing.T) {
	c, srv := graph(t, answer(200, `{"id":"1"}`))
	_, err := c.Upload(t.Context(), "106", "a", "image/jpeg", big, io.MultiReader(strings.NewReader("abc"), broken{}))
	if err == nil || ClassOf(err) == ClassNotSent {
		t.Errorf("half a file: %v", err)
	}
	tellsNothing(t, err)
	c.Token = nil
	if _, err := c.Upload(t.Context(), "106", "a", "image/jpeg", 3, strings.NewReader("abc")); ClassOf(err) != ClassNotSent {
		t.Errorf("no token: %v", err)
	}
	srv.Close()
	c = client(srv.URL)
	_, err = c.Upload(t.Context(), "106", "a", "image/jpeg", 3, strings.NewReader("abc"))
	if ClassOf(err) != ClassNotSent {
		t.Errorf("nobody there: %v", err)
	}
	tellsNothing(t, err, srv.URL)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no file of " + phone) }

// Ensure that every call says who makes it: Meta's file servers answer some
// programs with a page.
func TestEveryCallHasAUserAgent(t *testing.T) {
	calls := map[string]string{}
	c, srv := graph(t, func(w http.ResponseWriter, r *http.Request) {
		calls[r.Method+" "+r.URL.Path] = r.UserAgent()
		if strings.HasSuffix(r.URL.Path, "/file") {
			return
		}
		answer(200, `{"id":"1","url":"https://x.test","messages":[{"id":"wamid.1"}]}`)(w, r)
	})
	for name, agent := range map[string]string{"": DefaultUserAgent, "shop/2": "shop/2"} {
		clear(calls)
		c.UserAgent = name
		_, sent := c.Send(t.Context(), "106", hello)
		_, asked := c.MediaInfo(t.Context(), "7", "")
		_, uploaded := c.Upload(t.Context(), "106", "a", "image/jpeg", 1, strings.NewReader("a"))
		d, loaded := c.Download(t.Context(), srv.URL+"/file")
		if err := errors.Join(sent, asked, uploaded, loaded); err != nil {
			t.Fatal(err)
		}
		d.Body.Close()
		if len(calls) != 4 {
			t.Errorf("calls %v", calls)
		}
		for call, got := range calls {
			if got != agent {
				t.Errorf("%s by %q, want %q", call, got, agent)
			}
		}
	}
}

func TestMediaLimit(t *testing.T) {
	const kb, mb = 1 << 10, 1 << 20
	for _, tt := range []struct {
		kind, mime string
		most       int64 // 0 where it isn't taken
	}{
		{"image", "image/jpeg", 5 * mb}, {"image", "image/png", 5 * mb}, {"image", "IMAGE/JPEG", 5 * mb},
		{"image", "image/webp", 0}, {"image", "image/gif", 0}, {"image", "application/pdf", 0},
		{"sticker", "image/webp", 500 * kb}, {"sticker", "image/png", 0},
		{"video", "video/mp4", 16 * mb}, {"video", "video/3gpp", 16 * mb}, {"video", "video/webm", 0},
		{"audio", "audio/aac", 16 * mb}, {"audio", "audio/amr", 16 * mb}, {"audio", "audio/mpeg", 16 * mb}, {"audio", "audio/mp4", 16 * mb},
		{"audio", "audio/ogg", 16 * mb}, {"audio", "audio/ogg; codecs=opus", 16 * mb}, {"audio", "audio/ogg; codecs=vorbis", 0}, {"audio", "audio/wav", 0},
		{"voice", "audio/ogg; codecs=opus", 16 * mb}, {"voice", "audio/ogg", 16 * mb}, {"voice", "audio/ogg; codecs=vorbis", 0}, {"voice", "audio/mpeg", 0},
		{"document", "application/pdf", 100 * mb}, {"document", "text/plain; charset=utf-8", 100 * mb}, {"document", "application/zip", 0},
		{"document", "image/jpeg", 5 * mb}, {"document", "video/mp4", 16 * mb},
		{"location", "image/jpeg", 0}, {"", "", 0}, {"image", "image/jpeg; x", 0},
	} {
		most, ok := MediaLimit(tt.kind, tt.mime)
		if most != tt.most && ok || ok != (tt.most > 0) {
			t.Errorf("%s of %q: %d, %t, want %d", tt.kind, tt.mime, most, ok, tt.most)
		}
	}
}
