package handler

import (
	"crypto/sha256"
	"encoding/hex"
)

// digest is the hex SHA-256 that makes equal updates equal entries.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
