package whatsapp

// OutCall is the button that calls the business. All of it may be left out.
type OutCall struct {
	Label   string `json:"display_text,omitempty"` // at most 20 characters
	Minutes int    `json:"ttl_minutes,omitempty"`  // how long it works: at most 43200, 10080 where it isn't said
	Payload string `json:"payload,omitempty"`      // at most 512 characters; comes back with the call
}

// CallButton shows a text and a button that calls the business.
func CallButton(body string, c OutCall) Prompt {
	a := action{Name: "voice_call"}
	if c != (OutCall{}) {
		a.Parameters = c
	}
	return Prompt{prompt{Type: "voice_call", Body: paragraph(body), Action: a}}
}

// OutAddressForm is a form for a postal address, which Meta offers in India.
type OutAddressForm struct {
	Country string            `json:"country"`                   // ISO 3166, two letters
	Values  map[string]string `json:"values,omitempty"`          // what the form holds already, such as "city"
	Saved   []SavedAddress    `json:"saved_addresses,omitempty"` // to choose from
	Errors  map[string]string `json:"validation_errors,omitempty"`
}

// SavedAddress is an address that the customer gave before.
type SavedAddress struct {
	ID    string            `json:"id"`
	Value map[string]string `json:"value"`
}

// AddressRequest asks for a postal address.
func AddressRequest(body string, form OutAddressForm) HeadedPrompt {
	return HeadedPrompt{prompt{Type: "address_message", Body: paragraph(body), Action: action{"address_message", form}}}
}

// OutFlow is a button that opens a form, which Meta calls a flow.
// https://developers.facebook.com/docs/whatsapp/flows/guides/sendingaflow
type OutFlow struct {
	ID, Name string         // one of the two says which
	Label    string         // on the button, at most 30 characters
	Token    string         // comes back with what was filled in
	Screen   string         // where it starts; empty leaves it to the form's own server
	Data     map[string]any // for the first screen
	Draft    bool           // try a form that isn't published
}

// FlowMessage shows a text and a button that opens a form.
func FlowMessage(body string, f OutFlow) HeadedPrompt {
	p := flowParameters{
		Version: "3", ID: f.ID, Name: f.Name, Label: f.Label, Token: f.Token, Action: "data_exchange",
	}
	if f.Screen != "" {
		p.Action, p.Payload = "navigate", &flowPayload{f.Screen, f.Data}
	}
	if f.Draft {
		p.Mode = "draft"
	}
	return HeadedPrompt{prompt{Type: "flow", Body: paragraph(body), Action: action{"flow", p}}}
}

type flowParameters struct {
	Version string       `json:"flow_message_version"`
	ID      string       `json:"flow_id,omitempty"`
	Name    string       `json:"flow_name,omitempty"`
	Label   string       `json:"flow_cta"`
	Token   string       `json:"flow_token,omitempty"`
	Action  string       `json:"flow_action"`
	Payload *flowPayload `json:"flow_action_payload,omitempty"`
	Mode    string       `json:"mode,omitempty"`
}

type flowPayload struct {
	Screen string         `json:"screen"`
	Data   map[string]any `json:"data,omitempty"`
}
