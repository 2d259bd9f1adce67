package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

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
	s := Summary{Format: SummaryFormat, Seq: j.Seq, Epoch: j.Epoch, Services: make([]SummaryService, 0, len(j.Table))}
	for _, e := range j.Table {
		known := from.Service(e.Slot)
		s.Services = append(s.Services, SummaryService{
			Name: e.Name, Type: e.Type.String(), Up: known.Up, Wanted: known.Wanted, Unknown: known.Unknown,
		})
	}
	return writeJSON(d.file("state"), 0o644, s)
}

func writeJSON(path string, perm os.FileMode, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return atomicfs.WriteFile(path, perm, func(f *os.File) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
}
