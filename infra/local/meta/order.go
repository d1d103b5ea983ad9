package meta

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// Order is what a customer puts into the cart of a catalogue and sends.
type Order struct {
	Catalog string `json:"catalog"` // empty: the demo's
	Text    string `json:"text"`
	Items   []Item `json:"items"`
}

// demoCatalog is the catalogue of a message that names none.
const demoCatalog = "194000000000001"

// demoProducts are what the demo's catalogue has.
func demoProducts(catalog string) []Item {
	if catalog == "" {
		catalog = demoCatalog
	}
	var list []Item
	for _, id := range []string{"chair-green", "table-oak", "lamp-small"} {
		list = append(list, Item{Catalog: catalog, Product: id, Title: id, Price: price(id), Currency: "USD"})
	}
	return list
}

// price is what a product costs: made up, and always the same for the same product.
func price(product string) float64 {
	h := fnv.New32a()
	io.WriteString(h, product)
	return float64(h.Sum32()%200)/2 + 5
}

func composeOrder(m *Message, o *Order) (object, error) {
	if len(o.Items) == 0 {
		return nil, errors.New("the cart is empty")
	}
	if o.Catalog == "" {
		o.Catalog = demoCatalog
	}
	m.Type, m.Text, m.Notice = "order", o.Text, "Order"
	var items []object
	for _, item := range o.Items {
		if item.Product == "" || item.Quantity < 1 {
			return nil, errors.New("every line of an order has a product and a quantity of 1 or more")
		}
		if item.Price == 0 {
			item.Price = price(item.Product)
		}
		if item.Currency == "" {
			item.Currency = "USD"
		}
		item.Catalog, item.Title = o.Catalog, fmt.Sprintf("%d × %s", item.Quantity, item.Product)
		m.Items = append(m.Items, item)
		items = append(items, object{"product_retailer_id": item.Product, "quantity": item.Quantity,
			"item_price": item.Price, "currency": item.Currency})
	}
	order := object{"catalog_id": o.Catalog, "product_items": items}
	if o.Text != "" {
		order["text"] = o.Text
	}
	return order, nil
}
