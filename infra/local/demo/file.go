package demo

import (
	"mime"
	"net/http"
	"strings"
)

// inline are the types that a browser may show on the page's own origin, and how; everything else is downloaded.
var inline = map[string]string{
	"image/jpeg": "image", "image/png": "image", "image/webp": "image", "image/gif": "image",
	"audio/ogg": "audio", "audio/mpeg": "audio", "audio/mp4": "audio", "audio/aac": "audio", "audio/wav": "audio",
	"video/mp4": "video", "video/webm": "video", "video/3gpp": "video",
	"application/pdf": "page",
}

// showAs says how a file of a type is shown.
func showAs(kind string) string {
	if as := inline[media(kind)]; as != "" {
		return as
	}
	return "download"
}

// media is a type without its parameters.
func media(kind string) string {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// file sends the bytes. What a customer sent is never run: no sniffing, no scripts.
func file(w http.ResponseWriter, r *http.Request, of Place) {
	content, f, err := of.CRM.Open(r.PathValue("id"))
	if err != nil {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	defer func() { _ = content.Close() }()
	h := w.Header()
	kind, disposition, csp := "application/octet-stream", "attachment", "default-src 'none'; sandbox"
	switch showAs(f.MIME) {
	case "download":
	case "page":
		// The browser's PDF viewer works in no sandbox but its own.
		kind, disposition, csp = media(f.MIME), "inline", "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'"
	default:
		kind, disposition = media(f.MIME), "inline"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-cache")
	http.ServeContent(w, r, "", f.Changed, content)
}
