package whatsapp

// Product shows one product of a catalogue. The text may be empty.
func Product(body, catalogID, productID string) FootedPrompt {
	p := prompt{Type: "product", Action: productAction{catalogID, productID}}
	if body != "" {
		p.Body = paragraph(body)
	}
	return FootedPrompt{p}
}

type productAction struct {
	Catalog string `json:"catalog_id"`
	Product string `json:"product_retailer_id"`
}

// ProductSection is a group of products; make one with [ProductGroup].
type ProductSection struct {
	Title string        `json:"title,omitempty"` // at most 24 characters; an only section may go without
	Items []ProductItem `json:"product_items"`
}

// ProductItem is a product of a catalogue.
type ProductItem struct {
	ID string `json:"product_retailer_id"`
}

// ProductGroup is a group of products, by the ids that the shop gave them.
func ProductGroup(title string, productIDs ...string) ProductSection {
	s := ProductSection{Title: title}
	for _, id := range productIDs {
		s.Items = append(s.Items, ProductItem{id})
	}
	return s
}

// Products shows up to 30 products of a catalogue in up to 10 sections. Meta
// wants a title above, at most 60 characters.
func Products(title, body, catalogID string, sections ...ProductSection) FootedPrompt {
	h := TextHeader(title)
	return FootedPrompt{prompt{
		Type: "product_list", Header: &h, Body: paragraph(body),
		Action: map[string]any{"catalog_id": catalogID, "sections": sections},
	}}
}

// Catalog shows a button that opens the catalogue. The thumbnail is the id of
// the product whose picture it shows; the first one's where it is empty.
func Catalog(body, thumbnail string) FootedPrompt {
	a := action{Name: "catalog_message"}
	if thumbnail != "" {
		a.Parameters = map[string]string{"thumbnail_product_retailer_id": thumbnail}
	}
	return FootedPrompt{prompt{Type: "catalog_message", Body: paragraph(body), Action: a}}
}

// CarouselCard is a card to swipe through; make one with [LinkCard],
// [ReplyCard] or [ProductCard].
type CarouselCard struct {
	Index  int         `json:"card_index"`
	Type   string      `json:"type"`
	Header *Header     `json:"header,omitempty"`
	Body   *promptText `json:"body,omitempty"`
	Action any         `json:"action"`
}

// Carousel shows a text of at most 1024 characters and 2 to 10 cards of one
// kind.
func Carousel(body string, cards ...CarouselCard) Prompt {
	numbered := make([]CarouselCard, len(cards))
	for i, c := range cards {
		c.Index = i
		numbered[i] = c
	}
	return Prompt{prompt{Type: "carousel", Body: paragraph(body), Action: map[string]any{"cards": numbered}}}
}

// LinkCard shows a picture or film and a button that opens an address. The
// text, at most 160 characters and 2 line breaks, may be empty.
func LinkCard(h Header, body, label, url string) CarouselCard {
	return mediaCard(h, body, linkAction(label, url))
}

// ReplyCard shows a picture or film and as many buttons as the other cards.
// The text, at most 160 characters and 2 line breaks, may be empty.
func ReplyCard(h Header, body string, buttons ...ReplyButton) CarouselCard {
	return mediaCard(h, body, map[string]any{"buttons": as("quick_reply", buttons)})
}

// mediaCard has the type "cta_url" with either kind of button: so Meta's
// examples have it.
func mediaCard(h Header, body string, action any) CarouselCard {
	c := CarouselCard{Type: "cta_url", Header: &h, Action: action}
	if body != "" {
		c.Body = paragraph(body)
	}
	return c
}

// ProductCard shows a product; all cards name one catalogue.
func ProductCard(catalogID, productID string) CarouselCard {
	return CarouselCard{Type: "product", Action: productAction{catalogID, productID}}
}
