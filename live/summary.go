package live

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
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
	services := func(yield func(SummaryService) bool) {
		for _, e := range j.Table {
			up, wanted, unknown := from.Standing(e.Slot)
			if !yield(SummaryService{Name: e.Name, Type: e.Type.String(), Up: up, Wanted: wanted, Unknown: unknown}) {
				return
			}
		}
	}
	return atomicfs.WriteFile(d.file("state"), 0o644, func(f *os.File) error {
		return printSummary(f, Summary{Format: SummaryFormat, Seq: j.Seq, Epoch: j.Epoch}, services)
	})
}

// printSummary writes the JSON of a summary with these services. That is done at the end
// of each command, and there can be thousands of services.
func printSummary(to io.Writer, s Summary, services iter.Seq[SummaryService]) error {
	s.Services = []SummaryService{}
	head, err := json.Marshal(s)
	if err != nil {
		return err
	}
	const size = 64 << 10
	w := bufio.NewWriterSize(to, size)
	_, _ = w.Write(bytes.TrimSuffix(head, []byte("]}"))) // Flush gives the error
	comma := ""
	for sv := range services {
		b, err := appendService(append(w.AvailableBuffer(), comma...), sv)
		if err != nil {
			return err
		}
		_, _ = w.Write(b)
		comma = ","
	}
	_, _ = w.WriteString("]}\n")
	return w.Flush()
}

// appendService appends the JSON of one service.
func appendService(b []byte, sv SummaryService) ([]byte, error) {
	if !journal.Text(sv.Name).Plain() {
		text, err := json.Marshal(sv)
		return append(b, text...), err
	}
	b = append(append(b, `{"name":"`...), sv.Name...)
	b = append(append(b, `","type":"`...), sv.Type...)
	b = strconv.AppendBool(append(b, `","up":`...), sv.Up)
	b = strconv.AppendBool(append(b, `,"wanted":`...), sv.Wanted)
	if sv.Unknown {
		b = append(b, `,"unknown":true`...)
	}
	return append(b, '}'), nil
}
