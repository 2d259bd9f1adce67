package journal

import "strings"

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

// Plain reports whether t stands in JSON just as it is, between quotes, so that thousands
// of such strings can be read and written faster than by encoding/json.
func (t Text) Plain() bool {
	for i := range len(t) {
		if !plainByte[t[i]] {
			return false
		}
	}
	return !strings.HasPrefix(string(t), bytesMark)
}

// plainByte holds the bytes that encoding/json writes as they are.
var plainByte = func() (t [256]bool) {
	for c := byte(' '); c <= '~'; c++ {
		t[c] = strings.IndexByte(`"\<>&`, c) < 0
	}
	return t
}()
