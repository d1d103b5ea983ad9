package chat

// Channel is the network a conversation lives on.
type Channel string

// WhatsApp is the only channel so far.
const WhatsApp Channel = "whatsapp"
