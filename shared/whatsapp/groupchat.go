package whatsapp

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// GroupEvent is something that happened to a group chat.
// https://developers.facebook.com/docs/whatsapp/groups/webhooks
type GroupEvent struct {
	GroupID      string     // empty where the group wasn't made
	Type         string     // "group_create", "group_participants_add", "group_settings_update", "group_suspend", …
	Text         string     // what happened, for people; names nobody
	Participants []Identity // who was added, removed or asked to join
	Timestamp    time.Time
	Errors       []Error
	Content      json.RawMessage // the event as received
}

// ParseGroupEvent reads an update of [KindGroup]. What has an unexpected shape
// leaves its field empty; the only error is [ErrNotObject].
func ParseGroupEvent(u Update) (GroupEvent, error) {
	f, ok := read(u.Body)
	if !ok {
		return GroupEvent{}, ErrNotObject
	}
	g := GroupEvent{
		GroupID: f.text("group_id"), Type: f.text("type"), Timestamp: f.time("timestamp"),
		Errors: parseErrors(f), Content: u.Body,
	}
	for _, o := range append(append(f.objects("added_participants"), f.objects("removed_participants")...), f) {
		id := identify(firstOf(o.text("wa_id"), o.text("input")), o.text("user_id"))
		id.ParentBSUID = userID(o.text("parent_user_id"))
		if id.Known() {
			g.Participants = append(g.Participants, id)
		}
	}
	for _, key := range settings {
		g.Errors = append(g.Errors, parseErrors(f.object(key))...)
	}
	for _, o := range f.objects("failed_participants") {
		g.Errors = append(g.Errors, parseErrors(o)...)
	}
	g.Text = groupText(g.Type, f)
	if len(g.Errors) > 0 {
		g.Text += ": failed"
	}
	return g, nil
}

var settings = []string{"profile_picture", "group_subject", "group_description"}

// groupText says what happened. What changed comes before Type, which some of
// Meta's samples get wrong.
func groupText(kind string, f fields) string {
	added, removed := len(f.list("added_participants")), len(f.list("removed_participants"))
	switch {
	case removed > 0 && f.text("initiated_by") == "participant":
		return "Left the group"
	case removed > 0:
		return fmt.Sprintf("Removed from the group: %d", removed)
	case kind == "group_create":
		return strings.TrimSpace("Group created " + quoted(f.text("subject")))
	case added > 0:
		return fmt.Sprintf("Joined the group: %d", added)
	case strings.HasPrefix(kind, "group_settings"):
		return settingsText(f)
	}
	if text, known := groupTexts[kind]; known {
		return text
	}
	return strings.ReplaceAll(kind, "_", " ")
}

var groupTexts = map[string]string{
	"group_delete":               "Group deleted",
	"group_participants_add":     "Joined the group",
	"group_participants_remove":  "Removed from the group",
	"group_join_request_created": "Asked to join the group",
	"group_join_request_revoked": "No longer asks to join the group",
	"group_suspend":              "Group suspended by WhatsApp",
	"group_suspend_cleared":      "Group no longer suspended",
}

func settingsText(f fields) string {
	var all []string
	if o := f.object("group_subject"); o != nil {
		all = append(all, strings.TrimSpace("Subject "+quoted(o.text("text"))))
	}
	if f.object("group_description") != nil {
		all = append(all, "Description")
	}
	if f.object("profile_picture") != nil {
		all = append(all, "Picture")
	}
	return "Group changed: " + strings.Join(all, ", ")
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "“" + s + "”"
}
