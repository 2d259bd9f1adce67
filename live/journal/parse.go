package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
)

// Parse reads the bytes of a journal. good is the length of the part that counts:
// what follows is a line without its end, which a writer that was killed left. The
// error wraps [ErrCorrupt] or [ErrFormat]; the records before the damage are
// returned with it. The snapshot in the middle is none of them.
func Parse(b []byte) (records []Record, good int, err error) {
	begin, err := parseHeader(b)
	if err != nil {
		return nil, 0, err
	}
	w := walker{good: len(Header), middle: begin, visit: func(r Record) {
		if short, ok := r.Event.(restored); ok {
			r.Event = Snapshot{State: short.folder.State()}
		}
		records = append(records, r)
	}}
	if begin == len(Header) {
		w.middle = 0
	}
	err = w.walk(b[len(Header):])
	return records, w.good, err
}

// halfway gives where the second half of lines begins, if another processor can read
// it meanwhile and it is long enough for that: else it is empty.
func halfway(lines []byte) int {
	const enough = 1 << 20
	if len(lines) < enough || runtime.GOMAXPROCS(0) < 2 {
		return len(lines)
	}
	at := len(lines) / 2
	return at + bytes.IndexByte(lines[at:], '\n') + 1
}

// walker goes through records one by one.
type walker struct {
	visit  func(Record)
	last   Record
	count  int
	good   int // where what was read ends
	middle int // where a second snapshot stands that is still to come, or 0
}

// walk goes through lines to the end, but for a torn tail.
func (w *walker) walk(lines []byte) error {
	half := halfway(lines)
	later := make(chan part, 1)
	if half < len(lines) {
		go func() { later <- decodePart(lines[half:]) }()
	} else {
		later <- part{}
	}
	err := w.lines(lines[:half])
	p := <-later
	if err == nil {
		err = w.part(p)
	}
	switch {
	case err != nil:
	case w.last.Seq == 0:
		err = fmt.Errorf("%w: it has no record", ErrCorrupt)
	case w.middle != 0:
		err = fmt.Errorf("%w: a fold begins nowhere", ErrCorrupt)
	}
	return err
}

func (w *walker) step(r Record, length int) error {
	if w.middle != 0 && w.good >= w.middle {
		if err := w.repeats(r); err != nil {
			return w.failed(err)
		}
		w.middle, w.good = 0, w.good+length
		return nil
	}
	if err := follows(w.last, r); err != nil {
		return w.failed(err)
	}
	w.visit(r)
	w.last, w.count, w.good = r, w.count+1, w.good+length
	return nil
}

// repeats checks that r is the snapshot in the middle.
func (w *walker) repeats(r Record) error {
	if k := r.Kind(); w.good != w.middle || k != KindSnapshot || r.Seq != w.last.Seq {
		return fmt.Errorf("%w: a fold does not begin with %q, record %d", ErrCorrupt, k, r.Seq)
	}
	return follows(Record{}, r)
}

func (w *walker) failed(err error) error {
	if w.last.Seq == 0 {
		return fmt.Errorf("at its beginning: %w", err)
	}
	return fmt.Errorf("after record %d: %w", w.last.Seq, err)
}

// lines reads lines, but for a torn tail.
func (w *walker) lines(b []byte) error {
	var clock calendar
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			return nil
		}
		r, err := parseLine(b[:n], w.last.Cause, &clock)
		if err != nil {
			return w.failed(err)
		}
		if err := w.step(r, n+1); err != nil {
			return err
		}
		b = b[n+1:]
	}
}

// part is a part of a journal that was decoded before what is in front of it.
type part struct {
	records []Record
	lengths []int // of their lines
	err     error // of the line that follows them
}

func decodePart(b []byte) (p part) {
	n := bytes.Count(b, []byte("\n"))
	p.records, p.lengths = make([]Record, 0, n), make([]int, 0, n)
	cause := ""
	var clock calendar
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			return p
		}
		r, err := parseLine(b[:n], cause, &clock)
		if err != nil {
			p.err = err
			return p
		}
		p.records, p.lengths = append(p.records, r), append(p.lengths, n+1)
		cause, b = r.Cause, b[n+1:]
	}
}

func (w *walker) part(p part) error {
	for i, r := range p.records {
		if err := w.step(r, p.lengths[i]); err != nil {
			return err
		}
	}
	if p.err != nil {
		return w.failed(p.err)
	}
	return nil
}

// follows checks that r can come after the record last, or at first if that has no
// number.
func follows(last, r Record) error {
	if last.Seq == 0 {
		seq := r.Seq
		switch e := r.Event.(type) {
		case Init:
		case Snapshot:
			seq = e.State.Seq
		case restored:
			seq = e.folder.Seq()
		default:
			return fmt.Errorf("%w: it begins with %q", ErrCorrupt, r.Kind())
		}
		if seq != r.Seq {
			return fmt.Errorf("%w: snapshot of record %d stands at %d", ErrCorrupt, seq, r.Seq)
		}
		return nil
	}
	if r.Seq != last.Seq+1 {
		return fmt.Errorf("%w: record %d follows record %d", ErrCorrupt, r.Seq, last.Seq)
	}
	if k := r.Kind(); k == KindInit || k == KindSnapshot {
		return fmt.Errorf("%w: %q in the middle", ErrCorrupt, k)
	}
	return nil
}

// parseLine reads one line. cause is that of the record before.
func parseLine(line []byte, cause string, clock *calendar) (Record, error) {
	s := scanner{b: line}
	number := s.uint(math.MaxUint64 - 1)
	s.lit(" ")
	head := line[:len(line)-len(s.b)]
	const digits = 8
	if s.bad || number == 0 || len(s.b) <= digits || s.b[digits] != ' ' {
		return Record{}, fmt.Errorf("%w: no record", ErrCorrupt)
	}
	sum, text := s.b[:digits], s.b[digits+1:]
	if !isSum(sum, crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, text)) {
		return Record{}, fmt.Errorf("%w: record %d has the wrong checksum", ErrCorrupt, number)
	}
	// From here on somebody wrote it so.
	r, ok := quickRecord(text, cause, clock)
	if !ok {
		var err error
		if r, err = decodeRecord(text); err != nil {
			return Record{}, fmt.Errorf("record %d: %w", number, err)
		}
	}
	r.Seq = number
	return r, nil
}

// isSum reports whether a checksum is written so: in lower case.
func isSum(text []byte, sum uint32) bool {
	for i, c := range text {
		if c != "0123456789abcdef"[sum>>(28-4*i)&0xf] {
			return false
		}
	}
	return true
}

// decodeRecord reads the JSON of any record, in whichever shape.
func decodeRecord(text []byte) (Record, error) {
	var data json.RawMessage
	p := payload{Data: &data}
	if err := json.Unmarshal(text, &p); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	event, err := parseEvent(p.Kind, data)
	if err != nil {
		return Record{}, err
	}
	return Record{At: p.At, Boot: p.Boot, Cause: p.Cause, Event: event}, nil
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
	case KindPatchTry:
		return decode[PatchTry](data)
	case KindPatchAbort:
		return decode[PatchAbort](data)
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
