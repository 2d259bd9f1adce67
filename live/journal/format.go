package journal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Header is the first line of a journal that is read from its first record on. The
// number is where a fold begins, counted in bytes.
const Header = "strata-journal/1 0000000028\n"

// The header is a name, a version, and a number of so many digits.
const (
	headerName   = "strata-journal/"
	headerFormat = headerName + "1 "
	headerDigits = 10
)

// header is the first line of a journal of which a fold begins at this place.
func header(begin int) []byte { return fmt.Appendf(nil, "%s%0*d\n", headerFormat, headerDigits, begin) }

// parseHeader gives where a fold begins of a file that begins so.
func parseHeader(b []byte) (begin int, err error) {
	b = b[:min(len(b), len(Header))]
	if bytes.HasPrefix(b, []byte(headerName)) && !bytes.HasPrefix(b, []byte(headerFormat)) {
		return 0, ErrFormat
	}
	digits, ok := bytes.CutPrefix(b, []byte(headerFormat))
	if ok && len(b) == len(Header) {
		begin, err = strconv.Atoi(string(digits[:headerDigits]))
	}
	if !ok || err != nil || begin < len(Header) || !bytes.Equal(b, header(begin)) {
		return 0, fmt.Errorf("%w: it does not begin with %q and a place in it", ErrCorrupt, headerFormat)
	}
	return begin, nil
}

// Errors of reading; they are wrapped.
var (
	// ErrCorrupt: the file is not what this package wrote.
	ErrCorrupt = errors.New("the journal is damaged")
	// ErrFormat: the file is a journal of a version that this one cannot read.
	ErrFormat = errors.New("the journal is of another version")
)

// payload is the JSON of a line.
type payload struct {
	At    time.Time     `json:"at"`
	Boot  time.Duration `json:"boot"`
	Cause string        `json:"cause,omitempty"`
	Kind  Kind          `json:"kind"`
	Data  any           `json:"data"` // the event, or where to put its JSON
}

// appendLine appends the record's line.
func appendLine(b []byte, r Record) ([]byte, error) {
	text, err := json.Marshal(payload{r.At.UTC().Round(0), r.Boot, r.Cause, r.Kind(), r.Event})
	if err != nil {
		return b, err
	}
	seq := strconv.FormatUint(r.Seq, 10)
	return fmt.Appendf(b, "%s %08x %s\n", seq, checksum(seq, text), text), nil
}

func checksum(seq string, text []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(seq+" ")), crc32.IEEETable, text)
}

// bytesMark begins a name that JSON cannot hold; no name begins with a dot.
const bytesMark = ".b64:"

// quoteBytes makes a string of any bytes one that JSON keeps.
func quoteBytes(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, bytesMark) {
		return s
	}
	return bytesMark + base64.StdEncoding.EncodeToString([]byte(s))
}

func unquoteBytes(s string) (string, error) {
	rest, ok := strings.CutPrefix(s, bytesMark)
	if !ok {
		return s, nil
	}
	b, err := base64.StdEncoding.DecodeString(rest)
	return string(b), err
}
