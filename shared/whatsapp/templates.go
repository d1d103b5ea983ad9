package whatsapp

import (
	"context"
	"encoding/json"
	"net/url"
)

// TemplateInfo is a template of a business account in one language.
type TemplateInfo struct {
	ID             string
	Name, Language string
	Category       string          // "MARKETING", "UTILITY" or "AUTHENTICATION"
	Status         string          // only "APPROVED" ones can be sent
	Quality        string          // "GREEN", "YELLOW", "RED", "UNKNOWN"
	Format         string          // of its parameters: "POSITIONAL" or "NAMED"
	Components     json.RawMessage // its texts and buttons, an array as Meta documents it
}

// Templates lists the languages of the template with this name.
func (c *Client) Templates(ctx context.Context, waba, name string) ([]TemplateInfo, error) {
	found, err := c.templates(ctx, waba, url.Values{"name": {name}})
	if err != nil {
		return nil, err
	}
	var all []TemplateInfo
	for _, t := range found {
		if t.Name == name { // the filter matches parts of a name too
			all = append(all, t)
		}
	}
	return all, nil
}

// ListTemplates lists all templates of a business account, page by page.
func (c *Client) ListTemplates(ctx context.Context, waba string) ([]TemplateInfo, error) {
	return c.templates(ctx, waba, url.Values{})
}

const (
	templateFields = "id,name,language,category,status,quality_score,parameter_format,components"
	// templatePage keeps a page well below maxAnswer: a template is a few
	// kilobytes at most.
	templatePage = "50"
)

// templates follows the pages to the last one.
// https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates
func (c *Client) templates(ctx context.Context, waba string, query url.Values) ([]TemplateInfo, error) {
	query.Set("fields", templateFields)
	query.Set("limit", templatePage)
	var all []TemplateInfo
	for {
		f, err := c.get(ctx, query, waba, "message_templates")
		if err != nil {
			return nil, err
		}
		for _, o := range f.objects("data") {
			all = append(all, templateInfo(o))
		}
		paging := f.object("paging")
		after := paging.object("cursors").text("after")
		if paging.text("next") == "" || after == "" || after == query.Get("after") {
			return all, nil
		}
		query.Set("after", after)
	}
}

func templateInfo(o fields) TemplateInfo {
	return TemplateInfo{
		ID: o.text("id"), Name: o.text("name"), Language: o.text("language"), Category: o.text("category"),
		Status: o.text("status"), Quality: o.object("quality_score").text("score"),
		Format: o.text("parameter_format"), Components: o["components"],
	}
}
