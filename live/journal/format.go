package journal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Header is the first line of a journal.
const Header = "strata-journal/1\n"

// Errors of reading; they are wrapped.
var (
	// ErrCorrupt: the file is not what this package wrote.
	ErrCorrupt = errors.New("the journal is damaged")
	// ErrFormat: the file is a journal of a version that this one cannot read.
	ErrFormat = errors.New("the journal is of another version")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// payload is the JSON of a line.
type payload struct {
	At    time.Time       `json:"at"`
	Boot  time.Duration   `json:"boot"`
	Cause string          `json:"cause,omitempty"`
	Kind  Kind            `json:"kind"`
	Data  json.RawMessage `json:"data"`
}

// appendLine appends the record's line.
func appendLine(b []byte, r Record) ([]byte, error) {
	data, err := json.Marshal(r.Event)
	if err != nil {
		return b, err
	}
	text, err := json.Marshal(payload{r.At.UTC().Round(0), r.Boot, r.Cause, r.Kind(), data})
	if err != nil {
		return b, err
	}
	seq := strconv.FormatUint(r.Seq, 10)
	return fmt.Appendf(b, "%s %08x %s\n", seq, checksum(seq, text), text), nil
}

func checksum(seq string, text []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(seq+" "), castagnoli), castagnoli, text)
}

// Parse reads the bytes of a journal. good is the length of the part that counts:
// what follows is a line without its end, which a writer that was killed left. The
// error wraps [ErrCorrupt] or [ErrFormat]; the records before the damage are
// returned with it.
func Parse(b []byte) (records []Record, good int, err error) {
	if !bytes.HasPrefix(b, []byte(Header)) {
		if name, _, ok := strings.Cut(Header, "/"); ok && bytes.HasPrefix(b, []byte(name+"/")) {
			return nil, 0, ErrFormat
		}
		return nil, 0, fmt.Errorf("%w: it does not begin with %q", ErrCorrupt, strings.TrimSpace(Header))
	}
	good = len(Header)
	for good < len(b) {
		n := bytes.IndexByte(b[good:], '\n')
		if n < 0 {
			break
		}
		r, err := parseLine(b[good : good+n])
		if err == nil {
			err = follows(records, r)
		}
		if err != nil {
			return records, good, fmt.Errorf("line %d: %w", len(records)+2, err)
		}
		records = append(records, r)
		good += n + 1
	}
	if len(records) == 0 {
		return nil, good, fmt.Errorf("%w: it has no record", ErrCorrupt)
	}
	return records, good, nil
}

// follows checks that r can come after the records there are.
func follows(records []Record, r Record) error {
	if len(records) == 0 {
		switch e := r.Event.(type) {
		case Init:
			return nil
		case Snapshot:
			if e.State.Seq != r.Seq {
				return fmt.Errorf("%w: snapshot of record %d stands at %d", ErrCorrupt, e.State.Seq, r.Seq)
			}
			return nil
		}
		return fmt.Errorf("%w: it begins with %q", ErrCorrupt, r.Kind())
	}
	if last := records[len(records)-1].Seq; r.Seq != last+1 {
		return fmt.Errorf("%w: record %d follows record %d", ErrCorrupt, r.Seq, last)
	}
	if k := r.Kind(); k == KindInit || k == KindSnapshot {
		return fmt.Errorf("%w: %q in the middle", ErrCorrupt, k)
	}
	return nil
}

func parseLine(line []byte) (Record, error) {
	seq, rest, _ := bytes.Cut(line, []byte(" "))
	sum, text, ok := bytes.Cut(rest, []byte(" "))
	number, err := strconv.ParseUint(string(seq), 10, 64)
	if !ok || err != nil || number == 0 || number == math.MaxUint64 || strconv.FormatUint(number, 10) != string(seq) {
		return Record{}, fmt.Errorf("%w: no record", ErrCorrupt)
	}
	if want := fmt.Sprintf("%08x", checksum(string(seq), text)); want != string(sum) {
		return Record{}, fmt.Errorf("%w: record %d has the wrong checksum", ErrCorrupt, number)
	}
	// From here on somebody wrote it so.
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return Record{}, fmt.Errorf("%w: record %d: %w", ErrCorrupt, number, err)
	}
	event, err := parseEvent(p.Kind, p.Data)
	if err != nil {
		return Record{}, fmt.Errorf("record %d: %w", number, err)
	}
	return Record{Seq: number, At: p.At, Boot: p.Boot, Cause: p.Cause, Event: event}, nil
}

// parseEvent reads the event of a kind.
func parseEvent(k Kind, data []byte) (Event, error) {
	switch k {
	case KindInit:
		return decode[Init](data)
	case KindWant:
		return decode[Want](data)
	case KindRun:
		return decode[Run](data)
	case KindRunEnd:
		return decode[RunEnd](data)
	case KindBegin:
		return decode[Begin](data)
	case KindUp:
		return decode[Up](data)
	case KindDown:
		return decode[Down](data)
	case KindFailed:
		return decode[Failed](data)
	case KindSkipped:
		return decode[Skipped](data)
	case KindReloaded:
		return decode[Reloaded](data)
	case KindObserved:
		return decode[Observed](data)
	case KindRedefined:
		return decode[Redefined](data)
	case KindSwitch:
		return decode[Switch](data)
	case KindPatchBegin:
		return decode[PatchBegin](data)
	case KindPatchStep:
		return decode[PatchStep](data)
	case KindPatchEnd:
		return decode[PatchEnd](data)
	case KindSnapshot:
		return decode[Snapshot](data)
	}
	return nil, fmt.Errorf("%w: unknown kind %q", ErrFormat, k)
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return e, nil
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
