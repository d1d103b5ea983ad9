package chat

import "log/slog"

// What holds a person or their words shows its ids, and nothing else, to whoever logs it by mistake.

// LogValue shows which message it is. A provider's id holds the customer's phone number, so only ours is shown.
func (m Message) LogValue() slog.Value {
	if m.ID.Ours() {
		return slog.StringValue(string(m.ID))
	}
	return slog.StringValue("a message of " + string(m.Conversation))
}

// LogValue shows which contact it is.
func (c Contact) LogValue() slog.Value { return slog.StringValue(string(c.ID)) }

// LogValue shows nothing.
func (Profile) LogValue() slog.Value { return slog.StringValue("[somebody]") }

// LogValue shows nothing.
func (Seen) LogValue() slog.Value { return slog.StringValue("[somebody]") }

// LogValue shows nothing.
func (Address) LogValue() slog.Value { return slog.StringValue("[somebody]") }

// LogValue shows what kind of identity it is.
func (a Alias) LogValue() slog.Value { return slog.StringValue("[" + a.Kind + "]") }
