package live

import (
	"encoding/json"
	"fmt"
	"os"

	"strata/live/journal"
)

// checkEnd reports an error that wraps [ErrCorrupt] if the journal, whose last
// record is seq, was cut: a summary tells of later records. A cut between two lines
// does not show otherwise, and one in a line looks as if a writer had been killed.
// Only the holder of the lock can ask.
func (d *Dir) checkEnd(seq uint64) error {
	return endsAt(seq, d.summarySeq())
}

func endsAt(seq, last uint64) error {
	if last > seq {
		return fmt.Errorf("%w: the journal ends with record %d, and record %d was there", ErrCorrupt, seq, last)
	}
	return nil
}

// Journal reads what the journal says, for the holder of the lock who cannot write
// it: see [Dir.Hold].
func (d *Dir) Journal() (journal.State, error) {
	known, err := journal.Load(d.JournalPath())
	if err != nil {
		return journal.State{}, err
	}
	return known.State(), d.checkEnd(known.Seq())
}

// summarySeq reads of the summary only which record it is of; 0 if that is not
// known.
func (d *Dir) summarySeq() uint64 {
	f, err := os.Open(d.file("state"))
	if err != nil {
		return 0
	}
	defer f.Close()
	dec := json.NewDecoder(f)
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return 0
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return 0
		}
		if key == "seq" {
			var seq uint64
			if dec.Decode(&seq) != nil {
				return 0
			}
			return seq
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return 0
		}
	}
	return 0
}
