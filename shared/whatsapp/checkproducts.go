package whatsapp

// Limits of product messages and carousels, in characters where not said
// otherwise.
// https://developers.facebook.com/docs/whatsapp/cloud-api/guides/sell-products-and-services/share-products
// https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages
const (
	maxProducts  = 30 // in all sections together
	minCards     = 2
	maxCards     = 10
	maxCardBody  = 160
	maxCardLines = 2 // line breaks in it
)

func checkProduct(action part) {
	action.at("catalog_id").id()
	action.at("product_retailer_id").id()
}

func checkProducts(action part) {
	action.at("catalog_id").id()
	checkProductSections(action.at("sections"))
}

func checkProductSections(p part) {
	sections := p.list(1, maxSections, "sections")
	var products []part
	for _, s := range sections {
		checkSectionTitle(s, len(sections))
		products = append(products, s.at("product_items").list(1, unbounded, "products")...)
	}
	p.limit(len(products), 1, maxProducts, "products")
	for _, item := range products {
		item.at("product_retailer_id").id()
	}
}

func checkCatalog(action part) {
	if p := action.at("parameters"); p.value != nil && p.object() {
		p.at("thumbnail_product_retailer_id").text(0, unbounded)
	}
}

// checkCarousel checks the cards, which must all be alike.
func checkCarousel(action part) {
	cards := action.at("cards").list(minCards, maxCards, "cards")
	for i, c := range cards {
		checkCardIndex(c, i)
		switch c.at("type").id() {
		case "product":
			c.at("header").forbid("a product card has no header")
			c.at("body").forbid("a product card has no body")
			checkProduct(c.at("action"))
		case "cta_url":
			checkMediaCard(c)
		}
	}
	for _, c := range cards {
		alike(c.at("type"), cards[0].at("type"))
		alike(c.at("action.catalog_id"), cards[0].at("action.catalog_id"))
		first, _ := cards[0].at("action.buttons").value.([]any)
		if own, _ := c.at("action.buttons").value.([]any); len(own) != len(first) {
			c.at("action.buttons").fail("%d buttons, the first card has %d", len(own), len(first))
		}
	}
}

// alike fails where a text isn't that of the first card.
func alike(p, first part) {
	own, _ := p.value.(string)
	if other, _ := first.value.(string); own != other {
		p.fail("not that of the first card")
	}
}

// checkCardIndex fails unless the card says where it is.
func checkCardIndex(card part, place int) {
	if index := card.at("card_index"); index.number(0, maxCards-1, "cards before it") != place {
		index.fail("card %d of the list, counted from 0", place)
	}
}

// checkMediaCard checks a card with a picture or film and either a link or
// quick replies. Meta's page gives the replies' ids, and the links, 20
// characters, which the links in its own example don't keep: so the ids are
// measured like those of other buttons.
func checkMediaCard(card part) {
	header := card.at("header")
	if !header.object() {
		return
	}
	checkHeader(header, header.at("type").choice(true, "image", "video"))
	if card.has("body") {
		body := card.at("body.text")
		lines := 0
		for _, r := range body.text(1, maxCardBody) {
			if r == '\n' {
				lines++
			}
		}
		body.limit(lines, 0, maxCardLines, "line breaks")
	}
	action := card.at("action")
	if !action.has("buttons") {
		action.at("name").choice(true, "cta_url")
		checkLinkButton(action)
		return
	}
	buttons := action.at("buttons").list(1, maxReplies, "buttons")
	for _, b := range buttons {
		b.at("type").choice(true, "quick_reply")
		checkReply(b.at("quick_reply"))
	}
	unique(buttons, "quick_reply.title")
}

// checkOrder checks a bill, which Meta offers in Brazil and India.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-in/orderdetailstemplate
func checkOrder(action part) {
	p := action.at("parameters")
	if !p.object() {
		return
	}
	p.at("reference_id").id()
	if p.at("currency").text(3, 3); !p.at("total_amount").object() || !p.at("order").object() {
		return
	}
	checkAmount(p.at("total_amount"))
	for _, item := range p.at("order.items").list(1, unbounded, "items") {
		item.at("name").id()
		item.at("quantity").number(1, unbounded, "pieces")
		if item.at("amount").object() {
			checkAmount(item.at("amount"))
		}
	}
}

// checkAmount checks a sum of money: value over offset, which is always 100.
func checkAmount(amount part) {
	amount.at("value").number(0, unbounded, "hundredths")
	amount.at("offset").number(100, 100, "hundredths")
}

func checkOrderStatus(action part) {
	if p := action.at("parameters"); p.object() {
		p.at("reference_id").id()
		p.at("order.status").id()
	}
}
