// Package whatsapp speaks the WhatsApp Cloud API: it verifies and takes apart
// what Meta posts to a webhook, and it sends messages and moves media through
// the Graph API. It imports the standard library only and keeps no state.
//
//	Verifier.Verify → Split → []Update → ParseMessage, ParseStatus, ParseCall, …
//	Client.Send · MarkRead · MediaInfo · Download · Upload
//
// It guarantees that no signature passes without a secret; that everything
// in a webhook leaves [Split] in exactly one [Update], whatever its shape; that
// parsing never fails for a shape Meta has not documented; that a message is
// posted at most once per [Client.Send], whose error says whether it may have
// been sent ([OutcomeOf]); that the access token goes to Meta's hosts only; and
// that no error text holds a token, a phone number or a customer's words.
package whatsapp
