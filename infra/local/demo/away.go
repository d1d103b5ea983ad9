package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed away.html
var awayHTML string

var awayPage = template.Must(template.New("away").Parse(awayHTML))

// away says where the records of a CRM are that isn't simulated, or that no CRM is connected, and how to get the demo.
func (p *page) away(w http.ResponseWriter, of Place) {
	if of.Name == "" && len(p.places) > 0 {
		of = p.places[0] // none is simulated, and none was asked for
	}
	var b bytes.Buffer
	err := awayPage.Execute(&b, struct {
		Place
		Places []Place
	}{of, p.places})
	if err != nil {
		http.Error(w, "the page can't be drawn", http.StatusInternalServerError)
		return
	}
	send(w, "text/html", b.Bytes())
}
