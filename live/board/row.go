package board

import (
	"bytes"
	"encoding/binary"

	"strata/live/journal"
	"strata/live/s6"
)

// Format is the first line that a board says.
const Format = "strata-board/1\n"

// Row is what a board says of one service.
type Row struct {
	Slot   journal.Slot
	Status s6.Status // what its supervisor has said last
	Marked bool      // it has the file down
}

// rowSize is the length of a row, in bytes.
const rowSize = 4 + s6.StatusSize + 1

func (r Row) append(b []byte) []byte {
	b = r.Status.AppendPacked(binary.BigEndian.AppendUint32(b, uint32(r.Slot)))
	if r.Marked {
		return append(b, 1)
	}
	return append(b, 0)
}

// parseRow reads what append wrote. It reports false if it did not.
func parseRow(b []byte) (r Row, ok bool) {
	st, err := s6.ParseStatus(b[4 : rowSize-1])
	mark := b[rowSize-1]
	return Row{journal.Slot(binary.BigEndian.Uint32(b)), st, mark == 1}, err == nil && mark <= 1
}

// parse takes what has come: the first line, unless that was taken before, and rows.
func parse(text []byte, begun bool, each func(Row)) (_ bool, rest []byte) {
	if !begun {
		if text, begun = bytes.CutPrefix(text, []byte(Format)); !begun {
			return false, text
		}
	}
	for ; len(text) >= rowSize; text = text[rowSize:] {
		if r, ok := parseRow(text[:rowSize]); ok {
			each(r)
		}
	}
	return true, text
}
