package journal

// Text is a string of any bytes that JSON keeps: one that is not UTF-8 is written
// as ".b64:" and its bytes in base64.
type Text string

// MarshalText implements [encoding.TextMarshaler].
func (t Text) MarshalText() ([]byte, error) { return []byte(quoteBytes(string(t))), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Text) UnmarshalText(b []byte) error {
	s, err := unquoteBytes(string(b))
	*t = Text(s)
	return err
}
