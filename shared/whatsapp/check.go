package whatsapp

// Check tells whether [Client.Send] would refuse the message as malformed. The
// error wraps [ErrInvalid] and quotes nothing of the message.
func (m Outgoing) Check() error {
	_, err := m.body()
	return err
}
