package meta

import (
	"bytes"
	_ "embed"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"time"
)

// voiceNote is three seconds of a synthesised melody, Ogg/Opus, mono.
//
//go:embed sample/voice.ogg
var voiceNote []byte

// sticker is a smiling sun, WebP, 512 pixels wide and high.
//
//go:embed sample/sticker.webp
var sticker []byte

// sampleKinds are the files that sample returns.
var sampleKinds = []string{"photo", "document", "voice", "sticker"}

// sample returns a file to send for whoever has none at hand.
func sample(kind string, at time.Time) (*Upload, error) {
	switch kind {
	case "photo":
		raw, err := photo(at)
		return &Upload{Name: "photo.jpg", MIME: "image/jpeg", Body: bytes.NewReader(raw)}, err
	case "document":
		return &Upload{Name: "delivery note.pdf", MIME: "application/pdf", Body: bytes.NewReader(pdf(at))}, nil
	case "sticker":
		return &Upload{Name: "sticker.webp", MIME: "image/webp", Body: bytes.NewReader(sticker)}, nil
	case "voice":
		return &Upload{Name: "voice.ogg", MIME: "audio/ogg", Voice: true, Body: bytes.NewReader(voiceNote)}, nil
	}
	return nil, fmt.Errorf("%q is no kind of sample; known: %q", kind, sampleKinds)
}

// photo paints a sun over hills. The sun's height follows the seconds of at, so that two photos differ.
func photo(at time.Time) ([]byte, error) {
	const width, height = 960, 720
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	sunX, sunY := 220+8*float64(at.Second()), 230-2*float64(at.Second()%30)
	for y := range height {
		for x := range width {
			img.Set(x, y, landscape(float64(x), float64(y), sunX, sunY))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("paint a photo: %w", err)
	}
	return out.Bytes(), nil
}

func landscape(x, y, sunX, sunY float64) color.RGBA {
	hills := []struct {
		base, wave, length, shift float64
		paint                     color.RGBA
	}{
		{640, 26, 190, 0.4, color.RGBA{38, 70, 60, 255}},
		{560, 40, 150, 2.1, color.RGBA{62, 106, 86, 255}},
		{480, 52, 120, 4.4, color.RGBA{110, 148, 122, 255}},
	}
	for _, h := range hills {
		if y > h.base-h.wave*math.Sin(x/h.length+h.shift)-0.4*h.wave*math.Sin(x/37+h.shift) {
			return h.paint
		}
	}
	distance := math.Hypot(x-sunX, y-sunY)
	if distance < 62 {
		return color.RGBA{255, 244, 214, 255}
	}
	glow := math.Exp(-(distance - 62) / 130)
	down := y / 520
	return color.RGBA{mix(126, 250, down, glow, 255), mix(164, 206, down, glow, 226), mix(206, 160, down, glow, 170), 255}
}

// mix goes from top to bottom with down and from there to lit with glow.
func mix(top, bottom, down, glow, lit float64) uint8 {
	v := top + (bottom-top)*math.Min(down, 1)
	return uint8(v + (lit-v)*glow)
}

// pdf writes a document of one page.
func pdf(at time.Time) []byte {
	text := fmt.Sprintf("BT /F1 26 Tf 72 740 Td (Delivery note) Tj 0 -40 Td /F1 13 Tf (Written on %s) Tj "+
		"0 -28 Td (2 garden chairs, green) Tj 0 -20 Td (1 table, oak) Tj ET", at.UTC().Format("2 January 2006, 15:04:05 UTC"))
	parts := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n")
	var index bytes.Buffer
	for i, part := range parts {
		fmt.Fprintf(&index, "%010d 00000 n \n", out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, part)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n%s", len(parts)+1, index.String())
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(parts)+1, start)
	return out.Bytes()
}
