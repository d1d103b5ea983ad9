package whatsapp

import (
	"mime"
	"time"
)

// MediaLife is how long Meta keeps a customer's file.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
const MediaLife = 7 * 24 * time.Hour

// UploadLife is how long Meta keeps a file that was uploaded.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media#upload-media
const UploadLife = 30 * 24 * time.Hour

// MaxStaticSticker is the most that a sticker which doesn't move may have, in
// bytes. Its type doesn't tell it from one that does, which is what
// [MediaLimit] allows for.
const MaxStaticSticker = 100 << 10

const (
	maxImage    = 5 << 20
	maxAudio    = 16 << 20
	maxVideo    = 16 << 20
	maxDocument = 100 << 20
	maxSticker  = 500 << 10 // animated
)

// mediaTypes are the types of file that Meta takes: the kind of message that
// each is made for, and the most bytes. Its upload refuses every other type.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media#supported-media-types
var mediaTypes = map[string]struct {
	kind string
	most int64
}{
	"audio/aac":  {"audio", maxAudio},
	"audio/amr":  {"audio", maxAudio},
	"audio/mpeg": {"audio", maxAudio},
	"audio/mp4":  {"audio", maxAudio},
	"audio/ogg":  {"audio", maxAudio},
	"audio/opus": {"audio", maxAudio},
	"image/jpeg": {"image", maxImage},
	"image/png":  {"image", maxImage},
	"image/webp": {"sticker", maxSticker},
	"video/mp4":  {"video", maxVideo},
	"video/3gpp": {"video", maxVideo},

	"text/plain":                    {"document", maxDocument},
	"application/pdf":               {"document", maxDocument},
	"application/msword":            {"document", maxDocument},
	"application/vnd.ms-excel":      {"document", maxDocument},
	"application/vnd.ms-powerpoint": {"document", maxDocument},
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   {"document", maxDocument},
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         {"document", maxDocument},
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": {"document", maxDocument},
}

// MediaLimit returns how many bytes a file of a MIME type may have in a message
// of a kind: image, video, audio, document, sticker, or voice, which is an
// audio message shown as a voice note and must be OGG with Opus. ok is false
// where Meta doesn't take the type. A document may also be an image, a film or
// a sound, and then has their limit, because an upload doesn't know its kind.
func MediaLimit(kind, mimeType string) (maxBytes int64, ok bool) {
	base, parameters, err := mime.ParseMediaType(mimeType)
	known, found := mediaTypes[base]
	if err != nil || !found {
		return 0, false
	}
	// Without the parameter only a look into the file can tell the codec.
	if codecs := parameters["codecs"]; base == "audio/ogg" && codecs != "" && codecs != "opus" {
		return 0, false
	}
	switch kind {
	case "voice":
		return known.most, base == "audio/ogg"
	case "document":
		return known.most, true
	case known.kind:
		return known.most, true
	}
	return 0, false
}
