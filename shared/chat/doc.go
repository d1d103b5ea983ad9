// Package chat is the vocabulary of Threadline: who talks (Contact), where (Number, Conversation), what is said
// (Message, Attachment) and what became of it (Status). It holds no I/O, no clock and no randomness: every rule here
// is a pure function, so that the same updates lead to the same state in whatever order and however often they come.
//
// Two rules the rest of the system leans on:
//   - Message.Apply never lets a receipt lower a status.
//   - What several updates write to one field is decided by Stamp: the newest provider time wins, ties by id.
package chat
