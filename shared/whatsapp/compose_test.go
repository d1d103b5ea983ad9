package whatsapp

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// same fails unless both are the same JSON.
func same(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	if !reflect.DeepEqual(decoded(t, got), decoded(t, json.RawMessage(want))) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// example is the interactive object or template of a collected request.
type example struct {
	t   *testing.T
	raw json.RawMessage
}

func (e example) value(path string) any {
	var v any
	if err := json.Unmarshal(e.raw, &v); err != nil {
		e.t.Fatal(err)
	}
	for key := range strings.SplitSeq(path, ".") {
		if list, ok := v.([]any); ok {
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(list) {
				e.t.Fatalf("no %s", path)
			}
			v = list[i]
			continue
		}
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// text is the text at a path such as "action.buttons.0.reply.id".
func (e example) text(path string) string {
	s, ok := e.value(path).(string)
	if !ok {
		e.t.Fatalf("no text at %s", path)
	}
	return s
}

func (e example) body() string   { return e.text("body.text") }
func (e example) footer() string { return e.text("footer.text") }

// Ensure that what is composed of an example's values is the example.
func TestComposedLikeExamples(t *testing.T) {
	flow := func(e example, f OutFlow) json.RawMessage {
		f.Label, f.Token = e.text("action.parameters.flow_cta"), e.text("action.parameters.flow_token")
		f.Screen = e.text("action.parameters.flow_action_payload.screen")
		f.Data = e.value("action.parameters.flow_action_payload.data").(map[string]any)
		return FlowMessage(e.body(), f).WithHeader(TextHeader(e.text("header.text"))).WithFooter(e.footer()).JSON()
	}
	all := outbound(t)
	for name, compose := range map[string]func(example) json.RawMessage{
		"send_reply_button": func(e example) json.RawMessage {
			return Buttons(e.body(),
				QuickReply(e.text("action.buttons.0.reply.id"), e.text("action.buttons.0.reply.title")),
				QuickReply(e.text("action.buttons.1.reply.id"), e.text("action.buttons.1.reply.title"))).JSON()
		},
		"send_list_message": func(e example) json.RawMessage {
			row := func(path string) ListRow {
				path = "action.sections." + path
				return ListRow{e.text(path + ".id"), e.text(path + ".title"), e.text(path + ".description")}
			}
			return List(e.body(), e.text("action.button"),
				Section(e.text("action.sections.0.title"), row("0.rows.0"), row("0.rows.1")),
				Section(e.text("action.sections.1.title"), row("1.rows.0"), row("1.rows.1")),
			).WithHeader(e.text("header.text")).WithFooter(e.footer()).JSON()
		},
		"send_published_flow_by_id": func(e example) json.RawMessage {
			return flow(e, OutFlow{ID: e.text("action.parameters.flow_id")})
		},
		"send_published_flow_by_name": func(e example) json.RawMessage {
			return flow(e, OutFlow{Name: e.text("action.parameters.flow_name")})
		},
		"send_draft_flow_by_id": func(e example) json.RawMessage {
			return flow(e, OutFlow{ID: e.text("action.parameters.flow_id"), Draft: true})
		},
		"send_single_product_message": func(e example) json.RawMessage {
			return Product(e.body(), e.text("action.catalog_id"), e.text("action.product_retailer_id")).WithFooter(e.footer()).JSON()
		},
		"send_multi_product_message": func(e example) json.RawMessage {
			group := func(path string) ProductSection {
				path = "action.sections." + path
				return ProductGroup(e.text(path+".title"), e.text(path+".product_items.0.product_retailer_id"),
					e.text(path+".product_items.1.product_retailer_id"))
			}
			return Products(e.text("header.text"), e.body(), e.text("action.catalog_id"), group("0"), group("1")).WithFooter(e.footer()).JSON()
		},
		"send_catalog_message": func(e example) json.RawMessage {
			return Catalog(e.body(), e.text("action.parameters.thumbnail_product_retailer_id")).WithFooter(e.footer()).JSON()
		},
		"send_flow_template_message": func(e example) json.RawMessage {
			action := "components.0.parameters.0.action."
			m := NewTemplate("t", "en").FlowButton(0, e.text(action+"flow_token"), e.value(action+"flow_action_data").(map[string]any))
			return changed(t, e.raw, "components", decoded(t, m.Components))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := read(all["metaopenapi__"+name])
			e := example{t, f["interactive"]}
			if e.raw == nil {
				e.raw = f["template"]
			}
			if e.raw == nil {
				t.Fatal("it isn't there")
			}
			got := compose(e)
			same(t, got, string(e.raw))
			if f["interactive"] == nil {
				return
			}
			if err := ask(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// Ensure that the types without an example are written as Meta's pages say.
func TestComposed(t *testing.T) {
	for _, tt := range []struct {
		got  json.RawMessage
		want string
	}{
		{LinkButton("b", "l", "https://example.com").JSON(),
			`{"type":"cta_url","body":{"text":"b"},"action":{"name":"cta_url","parameters":{"display_text":"l","url":"https://example.com"}}}`},
		{LocationRequest("b").JSON(), `{"type":"location_request_message","body":{"text":"b"},"action":{"name":"send_location"}}`},
		{ContactRequest("b").JSON(), `{"type":"request_contact_info","body":{"text":"b"},"action":{"name":"request_contact_info"}}`},
		{CallPermission("b").JSON(), `{"type":"call_permission_request","body":{"text":"b"},"action":{"name":"call_permission_request"}}`},
		{permit, `{"type":"call_permission_request","action":{"name":"call_permission_request"}}`},
		{call, `{"type":"voice_call","body":{"text":"?"},"action":{"name":"voice_call","parameters":{"display_text":"Call","ttl_minutes":5,"payload":"p"}}}`},
		{CallButton("b", OutCall{}).JSON(), `{"type":"voice_call","body":{"text":"b"},"action":{"name":"voice_call"}}`},
		{address, `{"type":"address_message","body":{"text":"?"},"action":{"name":"address_message","parameters":{"country":"IN",
			"saved_addresses":[{"id":"1","value":{"city":"Delhi"}}]}}}`},
		{FlowMessage("b", OutFlow{Name: "f", Label: "l"}).JSON(), `{"type":"flow","body":{"text":"b"},"action":{"name":"flow",
			"parameters":{"flow_message_version":"3","flow_name":"f","flow_cta":"l","flow_action":"data_exchange"}}}`},
		{Catalog("b", "").JSON(), `{"type":"catalog_message","body":{"text":"b"},"action":{"name":"catalog_message"}}`},
		{goods, `{"type":"carousel","body":{"text":"?"},"action":{"cards":[
			{"card_index":0,"type":"product","action":{"catalog_id":"C","product_retailer_id":"1"}},
			{"card_index":1,"type":"product","action":{"catalog_id":"C","product_retailer_id":"2"}}]}}`},
		{Carousel("b", LinkCard(ImageHeader(OutMedia{ID: "1"}), "c", "l", "https://example.com")).JSON(), `{"type":"carousel","body":{"text":"b"},
			"action":{"cards":[{"card_index":0,"type":"cta_url","header":{"type":"image","image":{"id":"1"}},"body":{"text":"c"},
			"action":{"name":"cta_url","parameters":{"display_text":"l","url":"https://example.com"}}}]}}`},
		{Carousel("b", ReplyCard(VideoHeader(OutMedia{ID: "1"}), "", QuickReply("i", "t"))).JSON(), `{"type":"carousel","body":{"text":"b"},
			"action":{"cards":[{"card_index":0,"type":"cta_url","header":{"type":"video","video":{"id":"1"}},
			"action":{"buttons":[{"type":"quick_reply","quick_reply":{"id":"i","title":"t"}}]}}]}}`},
		{NewTemplate("t", "en").HeaderText("h").Body("a").BodyCurrency("$1", "USD", 1000).BodyDate("May 1").Components,
			`[{"type":"header","parameters":[{"type":"text","text":"h"}]},{"type":"body","parameters":[{"type":"text","text":"a"},
			{"type":"currency","currency":{"fallback_value":"$1","code":"USD","amount_1000":1000}},
			{"type":"date_time","date_time":{"fallback_value":"May 1"}}]}]`},
		{NewTemplate("t", "en").HeaderNamed("h", "1").BodyNamed("a", "2").Components,
			`[{"type":"header","parameters":[{"type":"text","parameter_name":"h","text":"1"}]},
			{"type":"body","parameters":[{"type":"text","parameter_name":"a","text":"2"}]}]`},
		{NewTemplate("t", "en").HeaderDocument(OutMedia{ID: "1", Filename: "a.pdf"}).QuickReply(0, "p").URLButton(1, "u").Components,
			`[{"type":"header","parameters":[{"type":"document","document":{"id":"1","filename":"a.pdf"}}]},
			{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"p"}]},
			{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"u"}]}]`},
		{NewTemplate("t", "en").HeaderLocation(OutLocation{1, 2, "n", "a"}).CopyCode(0, "C").CatalogButton(1, "P").Components,
			`[{"type":"header","parameters":[{"type":"location","location":{"latitude":1,"longitude":2,"name":"n","address":"a"}}]},
			{"type":"button","sub_type":"copy_code","index":"0","parameters":[{"type":"coupon_code","coupon_code":"C"}]},
			{"type":"button","sub_type":"catalog","index":"1","parameters":[{"type":"action","action":{"thumbnail_product_retailer_id":"P"}}]}]`},
		{NewTemplate("t", "en").OfferEnds(time.UnixMilli(7)).ProductsButton(0, "P", ProductGroup("s", "1")).Components,
			`[{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer","limited_time_offer":{"expiration_time_ms":7}}]},
			{"type":"button","sub_type":"mpm","index":"0","parameters":[{"type":"action","action":{"thumbnail_product_retailer_id":"P",
			"sections":[{"title":"s","product_items":[{"product_retailer_id":"1"}]}]}}]}]`},
		{NewTemplate("t", "en").Cards(Card().HeaderProduct("C", "1"), Card().HeaderVideo(OutMedia{ID: "2"}).Body("x")).Components,
			`[{"type":"carousel","cards":[{"card_index":0,"components":[{"type":"header","parameters":[
			{"type":"product","product":{"catalog_id":"C","product_retailer_id":"1"}}]}]},{"card_index":1,"components":[
			{"type":"header","parameters":[{"type":"video","video":{"id":"2"}}]},{"type":"body","parameters":[{"type":"text","text":"x"}]}]}]}]`},
	} {
		same(t, tt.got, tt.want)
	}
}

// Ensure that a composed message can be used as a base for several.
func TestComposedValuesAreIndependent(t *testing.T) {
	base := Buttons("?", QuickReply("y", "Yes"))
	one, two := base.WithFooter("one"), base.WithFooter("two").WithHeader(TextHeader("h"))
	same(t, base.JSON(), `{"type":"button","body":{"text":"?"},"action":{"buttons":[{"type":"reply","reply":{"id":"y","title":"Yes"}}]}}`)
	if one.Footer.Text != "one" || one.Header != nil || two.Footer.Text != "two" {
		t.Errorf("one %+v, two %+v", one, two)
	}
	card := ProductCard("C", "1")
	Carousel("?", ProductCard("C", "0"), card)
	if card.Index != 0 {
		t.Errorf("the card was changed: %+v", card)
	}
}

// Ensure that what can't be JSON is refused rather than sent as something else.
func TestComposedNotJSON(t *testing.T) {
	f := FlowMessage("?", OutFlow{ID: "1", Label: "x", Screen: "A", Data: map[string]any{"a": t.Fail}})
	refused(t, ask(f.JSON()), "interactive content is not an object")
	odd := &Template{Name: "t", Language: "en", Components: json.RawMessage(`{}`)}
	refused(t, Outgoing{To: phone, Template: odd.Body("x")}.Check(), "template components are not an array")
}
