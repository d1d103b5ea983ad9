package meta

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// templateEvents has, for each kind, what becomes of a template and what is reported.
var templateEvents = map[string]func(*Simulator, AccountEvent, template, *TemplateState) *report{
	"template_status":     templateStatus,
	"template_quality":    templateQuality,
	"template_category":   (*Simulator).templateCategory,
	"template_components": templateComponents,
}

// findTemplate finds a template by its name; an empty language is any.
func findTemplate(name, language string) (template, error) {
	all := templates()
	at := slices.IndexFunc(all, func(t template) bool { return t.Name == name && (language == "" || t.Language == language) })
	if at < 0 {
		return template{}, errors.New("there is no such template")
	}
	return all[at], nil
}

// about is how webhooks name a template.
func (t template) about() object {
	id, err := strconv.ParseInt(t.ID, 10, 64)
	if err != nil {
		panic(err) // the ids are written in this package
	}
	return object{"message_template_id": id, "message_template_name": t.Name, "message_template_language": t.Language}
}

func templateStatus(_ *Simulator, e AccountEvent, t template, state *TemplateState) *report {
	value := t.about()
	status := map[string]string{"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED", "FLAGGED": "APPROVED"}[e.Value]
	if state.Status = status; status == "" {
		state.Status = e.Value
	}
	value["event"], value["reason"], value["message_template_category"] = e.Value, nil, state.Category
	if e.Reason != "" {
		value["reason"] = e.Reason
	}
	if e.Value == "REJECTED" {
		value["reason"] = "INVALID_FORMAT"
		value["rejection_info"] = object{"reason": e.Reason, "recommendation": "Change the text and hand it in again"}
	}
	return &report{"message_template_status_update", value}
}

func templateQuality(_ *Simulator, e AccountEvent, t template, state *TemplateState) *report {
	value := t.about()
	value["previous_quality_score"], value["new_quality_score"] = state.Quality, e.Value
	state.Quality = e.Value
	return &report{"message_template_quality_update", value}
}

func (s *Simulator) templateCategory(e AccountEvent, t template, state *TemplateState) *report {
	value := t.about()
	if e.Soon {
		value["new_category"], value["correct_category"] = state.Category, e.Value
		value["category_update_timestamp"] = s.opts.Now().Add(24 * time.Hour).Unix()
		return &report{"template_category_update", value}
	}
	value["previous_category"], value["new_category"] = state.Category, e.Value
	state.Category = e.Value
	return &report{"template_category_update", value}
}

func templateComponents(_ *Simulator, _ AccountEvent, t template, _ *TemplateState) *report {
	value := t.about()
	value["message_template_element"] = t.Body
	if t.Footer != "" {
		value["message_template_footer"] = t.Footer
	}
	return &report{"message_template_components_update", value}
}
