package whatsapp

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"
)

func message(t *testing.T, body string) Message {
	t.Helper()
	m, err := ParseMessage(Update{Kind: KindMessage, Body: json.RawMessage(body)})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return m
}

func TestParseMessageTypes(t *testing.T) {
	for _, tt := range []struct {
		body string
		get  func(Message) any
		want any
	}{
		{`{"type":"text","text":{"body":"hi \ud83d\ude00"}}`, func(m Message) any { return *m.Text }, Text{"hi 😀"}},
		{`{"type":"image","image":{"id":"7","mime_type":"image/jpeg","sha256":"a=","url":"https://x","caption":"c"}}`,
			func(m Message) any { return *m.Image }, Media{ID: "7", MIME: "image/jpeg", SHA256: "a=", URL: "https://x", Caption: "c"}},
		{`{"type":"video","video":{"id":7}}`, func(m Message) any { return *m.Video }, Media{ID: "7"}},
		{`{"type":"audio","audio":{"id":"7","voice":true}}`, func(m Message) any { return *m.Audio }, Media{ID: "7", Voice: true}},
		{`{"type":"voice","voice":{"id":"7"}}`, func(m Message) any { return *m.Audio }, Media{ID: "7", Voice: true}},
		{`{"type":"document","document":{"id":"7","filename":"a.pdf"}}`, func(m Message) any { return *m.Document }, Media{ID: "7", Filename: "a.pdf"}},
		{`{"type":"sticker","sticker":{"id":"7","animated":true}}`, func(m Message) any { return *m.Sticker }, Media{ID: "7", Animated: true}},
		{`{"type":"location","location":{"latitude":-1.5,"longitude":"2.25","name":"n","address":"a"}}`,
			func(m Message) any { return *m.Location }, Location{Latitude: -1.5, Longitude: 2.25, Name: "n", Address: "a"}},
		{`{"type":"reaction","reaction":{"message_id":"w","emoji":"👍"}}`, func(m Message) any { return *m.Reaction }, Reaction{"w", "👍"}},
		{`{"type":"reaction","reaction":{"message_id":"w"}}`, func(m Message) any { return *m.Reaction }, Reaction{"w", ""}},
		{`{"type":"button","button":{"payload":"p","text":"t"}}`, func(m Message) any { return *m.Button }, Button{"p", "t"}},
		{`{"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"1","title":"Yes"}}}`,
			func(m Message) any { return *m.Interactive.ButtonReply }, Reply{ID: "1", Title: "Yes"}},
		{`{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"1","title":"Yes","description":"d"}}}`,
			func(m Message) any { return *m.Interactive.ListReply }, Reply{"1", "Yes", "d"}},
		{`{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"flow_token\":\"t\"}"}}}`,
			func(m Message) any { return *m.Interactive.FlowReply }, FlowReply{Name: "flow", Body: "Sent", Token: "t", Response: `{"flow_token":"t"}`}},
		{`{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"[1]"}}}`,
			func(m Message) any { return *m.Interactive.FlowReply }, FlowReply{Response: `[1]`}},
		{`{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":{"flow_token":"t"}}}}`,
			func(m Message) any { return *m.Interactive.FlowReply }, FlowReply{Token: "t", Response: `{"flow_token":"t"}`}},
		{`{"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept","expiration_timestamp":1749416383,"response_source":"automatic"}}}`,
			func(m Message) any { return *m.Interactive.CallPermissionReply },
			CallPermissionReply{Accepted: true, Automatic: true, Expires: time.Unix(1749416383, 0).UTC()}},
		{`{"type":"order","order":{"catalog_id":"c","text":"t","product_items":[{"product_retailer_id":"p","quantity":"2","item_price":17.50,"currency":"EUR"},1]}}`,
			func(m Message) any { return *m.Order }, Order{"c", "t", []OrderItem{{"p", 2, "17.50", "EUR"}}}},
		{`{"type":"unsupported","unsupported":{"type":"poll_creation"}}`, func(m Message) any { return *m.Unsupported }, Unsupported{"poll_creation"}},
		{`{"type":"unknown","errors":[{"code":131051}]}`, func(m Message) any { return *m.Unsupported }, Unsupported{}},
		{`{"type":"revoke","revoke":{"original_message_id":"w"}}`, func(m Message) any { return *m.Revoke }, Revoke{"w"}},
		{`{"context":{"id":"w","from":"+155","frequently_forwarded":true,"referred_product":{"catalog_id":"c","product_retailer_id":"p"}}}`,
			func(m Message) any { return *m.Context }, Context{ID: "w", From: "155", Forwarded: true, Often: true, CatalogID: "c", ProductID: "p"}},
		{`{"referral":{"source_type":"ad","ctwa_clid":"x","welcome_message":{"text":"w"}}}`,
			func(m Message) any { return *m.Referral }, Referral{SourceType: "ad", ClickID: "x", Welcome: "w"}},
	} {
		if got := tt.get(message(t, tt.body)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s\n got %+v\nwant %+v", tt.body, got, tt.want)
		}
	}
}

func TestParseMessageCards(t *testing.T) {
	m := message(t, `{"type":"contacts","contacts":[{"name":{"formatted_name":"Ada L"},"org":{"company":"C","title":"T"},
		"phones":[{"phone":"+1 (983)","wa_id":"1983","type":"MOBILE"}],"emails":[{"email":"a@example.com"}],"origin":"contact_request"},
		{"name":{"first_name":"Bo","last_name":"D"}},{},"x"]}`)
	if len(m.Contacts) != 3 || m.Contacts[1].Name != "Bo D" {
		t.Fatalf("cards %+v", m.Contacts)
	}
	card := m.Contacts[0]
	if card.Raw == nil {
		t.Error("card without raw")
	}
	card.Raw = nil
	want := ContactCard{Name: "Ada L", Phones: []CardPhone{{"+1 (983)", "1983", "MOBILE"}}, Emails: []string{"a@example.com"},
		Company: "C", Title: "T", Requested: true}
	if !reflect.DeepEqual(card, want) {
		t.Errorf("got  %+v\nwant %+v", card, want)
	}
	if m := message(t, `{"type":"contacts","origin":"contact_request","contacts":[{}]}`); !m.Contacts[0].Requested {
		t.Error("origin on the message was not read")
	}
}

func TestParseMessageEdit(t *testing.T) {
	m := message(t, `{"type":"edit","edit":{"original_message_id":"w","message":{"type":"image","image":{"id":"7","caption":"new"},"context":{"id":"M0"}}}}`)
	if m.Edit.OriginalID != "w" || m.Edit.Message.Image.Caption != "new" || m.Edit.Message.Context.ID != "M0" || m.Edit.Message.Raw == nil {
		t.Errorf("edit %+v", m.Edit)
	}
	if _, ok := m.Media(); ok {
		t.Error("an edit carries a file of its own")
	}
}

// Ensure that the answers of a form keep their order, and the token is not one.
func TestFlowFields(t *testing.T) {
	for response, want := range map[string][]FlowField{
		`{"size":"L", "flow_token":"t", "n":2.50, "ok":true, "none":null, "items":["a", {"b":1}], "é\"":"\u00e9\n"}`: {
			{"size", "L"}, {"n", "2.50"}, {"ok", "true"}, {"items", `["a",{"b":1}]`}, {`é"`, "é\n"},
		},
		`{}`: nil, `[1]`: nil, `"x"`: nil, ``: nil, `{"a":`: nil,
	} {
		quoted, err := json.Marshal(response)
		if err != nil {
			t.Fatal(err)
		}
		m := message(t, `{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":`+string(quoted)+`}}}`)
		if got := m.Interactive.FlowReply.Fields; !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %q\nwant %q", response, got, want)
		}
	}
}

// Ensure that a type without a field of its own is readable where it matters.
func TestParseMessageKeptRaw(t *testing.T) {
	m := message(t, `{"type":"interactive","interactive":{"type":"payment_method","payment_method":{"reference_id":"r"}}}`)
	if m.Interactive.Type != "payment_method" || string(m.Content) != `{"type":"payment_method","payment_method":{"reference_id":"r"}}` {
		t.Errorf("payment: %+v %s", m.Interactive, m.Content)
	}
	m = message(t, `{"type":"interactive","errors":[{"code":131000}]}`)
	if m.Interactive != nil || len(m.Errors) != 1 || m.Content != nil {
		t.Errorf("errors instead of content: %+v", m)
	}
	m = message(t, `{"type":"system","system":{"type":"customer_identity_changed"},"identity":{"acknowledged":true,"created_timestamp":1749416383,"hash":"h="}}`)
	if want := (IdentityKey{Acknowledged: true, Created: time.Unix(1749416383, 0).UTC(), Hash: "h="}); m.Identity == nil || *m.Identity != want {
		t.Errorf("identity %+v", m.Identity)
	}
	m = message(t, `{"type":"contacts","contacts":[{"vcard":"BEGIN:VCARD","origin":"other"}]}`)
	if m.Contacts[0].VCard != "BEGIN:VCARD" || m.Contacts[0].Requested {
		t.Errorf("card %+v", m.Contacts[0])
	}
}

// Ensure that odd shapes cost their own field and nothing else.
func TestParseMessageTolerance(t *testing.T) {
	m := message(t, `{"id":5,"from":16505551234,"timestamp":1749416383,"type":"interactive","interactive":"x","text":["x"],"image":null,
		"context":7,"errors":{"code":1},"location":{"latitude":"north"},"order":{"product_items":{}},"edit":[],"system":true}`)
	if m.ID != "5" || m.From.WAID != "16505551234" || m.Timestamp != time.Unix(1749416383, 0).UTC() {
		t.Errorf("numbers instead of strings: %+v", m)
	}
	if m.Interactive != nil || m.Text != nil || m.Image != nil || m.Context != nil || m.Errors != nil || m.Edit != nil || m.System != nil {
		t.Errorf("odd shapes were taken for something: %+v", m)
	}
	if m.Location == nil || m.Order == nil || string(m.Content) != `"x"` || len(m.Raw) == 0 {
		t.Errorf("what is readable was dropped: %+v", m)
	}
	if m := message(t, `{"type":"hologram","hologram":{"depth":3}}`); string(m.Content) != `{"depth":3}` {
		t.Errorf("content of an unknown type: %s", m.Content)
	}
	if m := message(t, `{}`); m.Type != "" || m.Content != nil {
		t.Errorf("nothing became %+v", m)
	}
	for _, body := range []string{`[]`, `"x"`, `null`, `1`, ``, `{`} {
		_, err := ParseMessage(Update{Body: []byte(body)})
		_, err2 := ParseStatus(Update{Body: []byte(body)})
		if !errors.Is(err, ErrNotObject) || !errors.Is(err2, ErrNotObject) {
			t.Errorf("%q: %v, %v", body, err, err2)
		}
		parseAll(t, Update{Body: []byte(body)}) // the other kinds
	}
}

func TestTimestamps(t *testing.T) {
	for raw, want := range map[string]int64{
		`"1749416383"`: 1749416383, `1749416383`: 1749416383, `1749416383.7`: 1749416383, `"1749416383123"`: 1749416383,
		`1.749416383e9`: 1749416383, `" 1749416383 "`: 1749416383,
		`"soon"`: 0, `0`: 0, `-1`: 0, `null`: 0, `{}`: 0, `1e300`: 0, `99999999999999999`: 0, `"NaN"`: 0,
	} {
		got := message(t, `{"timestamp":`+raw+`}`).Timestamp
		if want == 0 && !got.IsZero() || want != 0 && got.Unix() != want {
			t.Errorf("%s is %v", raw, got)
		}
	}
}

func TestIdentity(t *testing.T) {
	for _, tt := range []struct {
		body, contact string
		want          Identity
	}{
		{`{"from":"+1650","from_user_id":"US.1","from_parent_user_id":"US.ENT.2"}`,
			`{"wa_id":"1650","user_id":"US.1","profile":{"name":"N","username":"@nn"},"identity_key_hash":"h"}`,
			Identity{"1650", "US.1", "US.ENT.2", "nn", "N", "h"}},
		{`{"from":"US.1"}`, `{"wa_id":"US.1"}`, Identity{BSUID: "US.1"}},
		{`{"from_user_id":"US.1"}`, `{"user_id":"US.1","profile":{"name":"N"}}`, Identity{BSUID: "US.1", Name: "N"}},
		{`{"from":"551"}`, `{"wa_id":"5519","user_id":"BR.1"}`, Identity{WAID: "551", BSUID: "BR.1"}},
		{`{"from_user_id":"US.1"}`, `{"user_id":"US.2","wa_id":"1","profile":{"name":"N"}}`, Identity{BSUID: "US.1"}},
		{`{"from":"5678","from_user_id":"foo_bar"}`, ``, Identity{WAID: "5678"}},
		{`{"from":"5678","from_parent_user_id":"none"}`, `{"wa_id":"5678","parent_user_id":"0"}`, Identity{WAID: "5678"}},
		{`{"from":7}`, `{"profile":"x"}`, Identity{WAID: "7"}},
		{`{}`, `{"profile":{"name":"N"}}`, Identity{Name: "N"}},
	} {
		m, err := ParseMessage(Update{Body: []byte(tt.body), Contact: []byte(tt.contact)})
		if err != nil || m.From != tt.want {
			t.Errorf("%s with %s\n got %+v, %v\nwant %+v", tt.body, tt.contact, m.From, err, tt.want)
		}
	}
	if (Identity{Name: "N"}).Known() || !(Identity{WAID: "1"}).Known() || !(Identity{BSUID: "US.1"}).Known() {
		t.Error("a name alone is no identity, an id is")
	}
}

func TestIsBSUID(t *testing.T) {
	for s, want := range map[string]bool{
		"US.1000000000000000001": true, "IN.CURRENTBSUID": true, "US.ENT.118": true, "US.a": true,
		"": false, "16505551234": false, "us.1": false, "USA.1": false, "US.": false, "US.1-2": false, "US.1\n": false, " US.1": false, "US.ENT.": false,
	} {
		if IsBSUID(s) != want {
			t.Errorf("IsBSUID(%q) = %v", s, !want)
		}
	}
}

func TestIdentityChange(t *testing.T) {
	for name, tt := range map[string]struct {
		body              string
		previous, current Identity
		ok                bool
	}{
		"number, 2025": {`{"from":"100","system":{"type":"user_changed_number","wa_id":"200"}}`, Identity{WAID: "100"}, Identity{WAID: "200"}, true},
		"number, 2026": {`{"from":"200","from_user_id":"US.2","system":{"type":"user_changed_number","wa_id":"200","user_id":"US.2","previous_user_id":"US.1"}}`,
			Identity{BSUID: "US.1"}, Identity{WAID: "200", BSUID: "US.2"}, true},
		"user id": {`{"system":{"type":"user_changed_user_id","user_id":"US.2","previous_user_id":"US.1","parent_user_id":"US.ENT.4","previous_parent_user_id":"US.ENT.3"}}`,
			Identity{BSUID: "US.1", ParentBSUID: "US.ENT.3"}, Identity{BSUID: "US.2", ParentBSUID: "US.ENT.4"}, true},
		"number, oldest": {`{"from":"999","system":{"type":"customer_changed_number","customer":"100","new_wa_id":"200"}}`,
			Identity{WAID: "100"}, Identity{WAID: "200"}, true},
		"new phone":   {`{"from":"100","system":{"type":"customer_identity_changed","wa_id":"100"}}`, Identity{}, Identity{}, false},
		"same number": {`{"from":"100","system":{"type":"user_changed_number","wa_id":"100"}}`, Identity{}, Identity{}, false},
		"parent ids that are none": {`{"from":"100","system":{"type":"user_changed_number","wa_id":"200","parent_user_id":"none","previous_parent_user_id":"-"}}`,
			Identity{WAID: "100"}, Identity{WAID: "200"}, true},
		"no target": {`{"from":"100","system":{"type":"user_changed_number"}}`, Identity{}, Identity{}, false},
		"no system": {`{"from":"100"}`, Identity{}, Identity{}, false},
	} {
		previous, current, ok := message(t, tt.body).IdentityChange()
		if ok != tt.ok || ok && (previous != tt.previous || current != tt.current) {
			t.Errorf("%s: %+v → %+v, %v", name, previous, current, ok)
		}
	}
}

func TestParseStatus(t *testing.T) {
	s, err := ParseStatus(Update{
		Contact: []byte(`{"wa_id":"1650","user_id":"US.1","profile":{"name":"N"}}`),
		Body: []byte(`{"id":"wamid.1","status":"delivered","timestamp":"1750030073","recipient_id":"1650","recipient_user_id":"US.1",
			"recipient_parent_user_id":"US.ENT.2","recipient_identity_key_hash":"h","biz_opaque_callback_data":"m_1",
			"conversation":{"id":"c","expiration_timestamp":"1750116480","origin":{"type":"referral_conversion"}},
			"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Raw = nil
	want := Status{
		ID: "wamid.1", State: "delivered", Timestamp: time.Unix(1750030073, 0).UTC(), CallbackData: "m_1",
		Recipient:    Identity{WAID: "1650", BSUID: "US.1", ParentBSUID: "US.ENT.2", KeyHash: "h", Name: "N"},
		Pricing:      &Pricing{true, "PMP", "regular", "utility"},
		Conversation: &Conversation{"c", "referral_conversion", time.Unix(1750116480, 0).UTC()},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("\n got %+v\nwant %+v", s, want)
	}
}

func TestParseStatusGroup(t *testing.T) {
	for _, kind := range []string{`"recipient_type":"group",`, ``} {
		s, err := ParseStatus(Update{Body: []byte(`{` + kind + `"recipient_id":"G1","recipient_participant_id":"1650","recipient_participant_user_id":"US.1"}`)})
		if err != nil || s.GroupID != "G1" || s.Recipient != (Identity{}) || s.Participant != (Identity{WAID: "1650", BSUID: "US.1"}) {
			t.Errorf("%s %+v, %v", kind, s, err)
		}
	}
}

// Ensure that each spelling of the parent id in Meta's samples is read.
func TestParseStatusParent(t *testing.T) {
	for _, key := range []string{"parent_recipient_user_id", "recipient_parent_user_id", "parent_user_id"} {
		s, err := ParseStatus(Update{Body: []byte(`{"recipient_id":"1","` + key + `":"US.ENT.2"}`)})
		if err != nil || s.Recipient.ParentBSUID != "US.ENT.2" {
			t.Errorf("%s: %+v, %v", key, s.Recipient, err)
		}
	}
	s, err := ParseStatus(Update{Body: []byte(`{"recipient_id":"1","parent_recipient_user_id":"none","recipient_parent_user_id":"US.ENT.2"}`)})
	if err != nil || s.Recipient.ParentBSUID != "US.ENT.2" {
		t.Errorf("beside a placeholder: %+v, %v", s.Recipient, err)
	}
}
