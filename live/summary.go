package live

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"strata/internal/atomicfs"
	"strata/live/journal"
)

// SummaryFormat is the format of the file state.
const SummaryFormat = "strata-state/1"

// Summary is what everyone may know of a live directory: the file state. It is
// as of the last change that was made by a tool; what a daemon did since, s6
// knows.
type Summary struct {
	Format   string           `json:"format"`
	Seq      uint64           `json:"seq"` // of the last record taken into account
	Epoch    journal.Epoch    `json:"epoch"`
	Services []SummaryService `json:"services"`
}

// SummaryService is one atomic service of a [Summary].
type SummaryService struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Up      bool   `json:"up"`
	Wanted  bool   `json:"wanted"`
	Unknown bool   `json:"unknown,omitempty"`
}

// Summary reads the file state. The error wraps [ErrStale] if it is of an earlier
// life of the supervision tree, or [ErrCorrupt].
func (d *Dir) Summary() (Summary, error) {
	b, err := os.ReadFile(d.file("state"))
	if err != nil {
		return Summary{}, fmt.Errorf("cannot read summary: %w", err)
	}
	var s Summary
	if err := json.Unmarshal(b, &s); err != nil || s.Format != SummaryFormat {
		return Summary{}, fmt.Errorf("cannot read summary: %w: %s is not %s", ErrCorrupt, d.file("state"), SummaryFormat)
	}
	if err := d.CheckEpoch(s.Epoch); errors.Is(err, ErrStale) {
		return Summary{}, err
	}
	return s, nil
}

// WriteSummary writes the file state from what the journal knows.
func (w *Writer) WriteSummary() error {
	w.changed.Store(false)
	var err error
	w.journal.With(func(known *journal.Folder) { err = writeSummary(w.Dir, known) })
	if err != nil {
		return fmt.Errorf("cannot write summary: %w", err)
	}
	return nil
}

func writeSummary(d *Dir, from *journal.Folder) error {
	j := from.Head()
	services := make([]SummaryService, len(j.Table))
	_ = spread(len(services), func(i int) error {
		e := j.Table[i]
		known := from.Service(e.Slot)
		services[i] = SummaryService{Name: e.Name, Type: e.Type.String(), Up: known.Up, Wanted: known.Wanted, Unknown: known.Unknown}
		return nil
	})
	text, err := summaryText(Summary{Format: SummaryFormat, Seq: j.Seq, Epoch: j.Epoch, Services: services})
	if err != nil {
		return err
	}
	return atomicfs.WriteFile(d.file("state"), 0o644, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
}

// summaryText is the JSON of a summary. It is written at the end of each command, and
// there can be thousands of services.
func summaryText(s Summary) ([]byte, error) {
	list := s.Services
	s.Services = []SummaryService{}
	b, err := json.Marshal(s)
	const each = 80 // bytes, mostly enough
	b = slices.Grow(bytes.TrimSuffix(b, []byte("]}")), each*len(list))
	for i, sv := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		if plain(sv.Name) {
			b = append(append(append(b, '"'), sv.Name...), '"')
		} else {
			name, nameErr := json.Marshal(sv.Name)
			err = cmp.Or(err, nameErr)
			b = append(b, name...)
		}
		b = append(append(append(b, `,"type":"`...), sv.Type...), `","up":`...)
		b = append(strconv.AppendBool(b, sv.Up), `,"wanted":`...)
		b = strconv.AppendBool(b, sv.Wanted)
		if sv.Unknown {
			b = append(b, `,"unknown":true`...)
		}
		b = append(b, '}')
	}
	return append(b, "]}\n"...), err
}

// plain says that a name stands in JSON as it is.
func plain(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
