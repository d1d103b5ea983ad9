package store

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// refuse returns the error that DynamoDB has for an item that it can't hold.
func refuse(it item) error {
	for _, k := range [][2]string{{"PK", "SK"}, {"GSI1PK", "GSI1SK"}} {
		_, there := it[k[0]]
		if !there && k[0] != "PK" {
			continue
		}
		pk, sk := asText(it[k[0]]), asText(it[k[1]])
		if sk == "" || !(key{pk, sk}).possible() {
			return invalid("a key is empty or too long")
		}
	}
	if size(it) > maxItem {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// size is how many bytes an item is charged for.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func size(it item) int {
	n := 0
	for name, v := range it {
		n += len(name) + sizeOf(v)
	}
	return n
}

func sizeOf(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return (len(v.Value)+1)/2 + 1 // about a byte for two digits, and one more
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + size(v.Value)
	case *types.AttributeValueMemberL:
		n := 3 + len(v.Value)
		for _, e := range v.Value {
			n += sizeOf(e)
		}
		return n
	}
	return 1 // NULL and BOOL; we use no sets
}
