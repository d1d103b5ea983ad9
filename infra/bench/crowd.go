package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type attributes = map[string]types.AttributeValue

// crowd adds so many messages to every conversation, a minute apart and each quoting the one before, and so many
// conversations with strangers: copies of those that are there.
func (s *scene) crowd(n int) error {
	var all []attributes
	for _, it := range s.Table.Items() {
		all = append(all, it)
	}
	for _, it := range all {
		copies := func(i int) []attributes { return nil }
		switch sk := text(it["SK"]); {
		case sk == "CONTACT":
			copies = func(i int) []attributes { return []attributes{contactLike(it, i)} }
		case sk == "CONV":
			copies = func(i int) []attributes { return []attributes{conversationLike(it, i)} }
		case strings.HasPrefix(sk, "MSG#"):
			copies = func(i int) []attributes { return messageLike(it, i) }
		}
		for i := n - 1; i >= 0; i-- { // in the order of time, which is how a table in memory is filled quickly
			for _, like := range copies(i) {
				if _, err := s.Table.PutItem(context.Background(), &dynamodb.PutItemInput{Item: like}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// messageLike is an earlier message with the item that finds it by its provider's id.
func messageLike(it attributes, i int) []attributes {
	at, err := time.Parse(time.RFC3339, text(it["at"]))
	if err != nil {
		panic(err) // the table holds no other times
	}
	at = at.Add(-time.Duration(i+1) * time.Minute)
	id := text(it["id"]) + "." + pad(i)
	sort := fmt.Sprintf("MSG#%013d#%s", at.UnixMilli(), id)
	message := with(it, map[string]string{"SK": sort, "id": id, "provider_id": id, "at": at.Format(time.RFC3339),
		"reply_to": text(it["id"]) + "." + pad(i+1)})
	ref := with(attributes{"rev": it["rev"], "v": it["v"]}, map[string]string{
		"PK": "WAMID#" + number + "#" + id, "SK": "REF", "conversation": text(it["conversation"]), "sort": sort})
	return []attributes{message, ref}
}

func contactLike(it attributes, i int) attributes {
	return with(it, map[string]string{"PK": text(it["PK"]) + pad(i), "id": text(it["id"]) + pad(i)})
}

// conversationLike is one with somebody who wrote earlier, in one of the four parts of the list.
func conversationLike(it attributes, i int) attributes {
	place := text(it["GSI1PK"])
	return with(it, map[string]string{"PK": text(it["PK"]) + pad(i), "id": text(it["id"]) + pad(i), "contact": text(it["contact"]) + pad(i),
		"GSI1PK": place[:strings.LastIndex(place, "#")+1] + fmt.Sprint(i%4), "GSI1SK": fmt.Sprintf("%013d#%s", 1_700_000_000_000-i, text(it["id"])+pad(i))})
}

// with is an item with other values.
func with(it attributes, values map[string]string) attributes {
	it = maps.Clone(it)
	for name, value := range values {
		it[name] = &types.AttributeValueMemberS{Value: value}
	}
	return it
}

func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
