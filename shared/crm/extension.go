package crm

// extensions of what WhatsApp sends; a document brings its own in its name.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif",
	"video/mp4": ".mp4", "video/3gpp": ".3gp",
	"audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/aac": ".aac", "audio/amr": ".amr",
	"application/pdf": ".pdf", "text/plain": ".txt",
}

// Extension is what the name of a file of a type ends with, where the name itself doesn't tell; empty if it isn't known.
// The type has no parameters.
func Extension(mime string) string { return extensions[mime] }
