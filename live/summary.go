package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"strata/compile/db"
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

// Summary reads the file state.
func (d *Dir) Summary() (Summary, error) {
	b, err := os.ReadFile(d.file("state"))
	if err != nil {
		return Summary{}, fmt.Errorf("cannot read summary: %w", err)
	}
	var s Summary
	if err := json.Unmarshal(b, &s); err != nil || s.Format != SummaryFormat {
		return Summary{}, fmt.Errorf("cannot read summary: %w: %s is not %s", ErrCorrupt, d.file("state"), SummaryFormat)
	}
	return s, nil
}

// WriteSummary writes the file state from what the journal knows.
func (w *Writer) WriteSummary() error {
	w.changed.Store(false)
	if err := writeSummary(w.Dir, w.journal.State()); err != nil {
		return fmt.Errorf("cannot write summary: %w", err)
	}
	return nil
}

func writeSummary(d *Dir, j journal.State) error {
	s := Summary{Format: SummaryFormat, Seq: j.Seq, Services: make([]SummaryService, 0, len(j.Table))}
	for _, e := range j.Table {
		known := j.Services[e.Slot]
		s.Services = append(s.Services, SummaryService{
			Name: e.Name, Type: e.Type.String(), Up: known.Up, Wanted: known.Wanted, Unknown: known.Unknown,
		})
	}
	return writeJSON(d.file("state"), 0o644, s)
}

// StopOrderFormat is the format of the file stop-order.
const StopOrderFormat = "strata-stop-order/1"

// StopOrder is what is needed to stop everything without database and journal:
// the file stop-order, for the owner alone. It is written at each switch, and
// covers both databases while a patch is under way.
type StopOrder struct {
	Format string `json:"format"`
	// Services are in an order in which they can be stopped one after the other;
	// those of one level can be stopped together.
	Services []StopService `json:"services"`
}

// StopService is one service of a [StopOrder].
type StopService struct {
	Slot    Slot   `json:"slot"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Level   uint32 `json:"level"`
	Timeout uint32 `json:"timeout"` // timeout-down in milliseconds, 0 for none
	// Def and Down are for oneshots: the definition, and the argument vector of the
	// down program, to be run in the definition's directory.
	Def  *db.Digest `json:"def,omitempty"`
	Down []string   `json:"down,omitempty"`
}

// StopOrder reads the file stop-order.
func (d *Dir) StopOrder() (StopOrder, error) {
	b, err := os.ReadFile(d.file("stop-order"))
	if err != nil {
		return StopOrder{}, fmt.Errorf("cannot read stop order: %w", err)
	}
	var s StopOrder
	if err := json.Unmarshal(b, &s); err != nil || s.Format != StopOrderFormat {
		return StopOrder{}, fmt.Errorf("cannot read stop order: %w: %s is not %s", ErrCorrupt, d.file("stop-order"), StopOrderFormat)
	}
	return s, nil
}

// WriteStopOrder writes the file stop-order for these databases, of which the
// first counts where a slot is in several.
func (d *Dir) WriteStopOrder(views ...View) error {
	s, err := stopOrder(views)
	if err == nil {
		err = writeJSON(d.file("stop-order"), 0o600, s)
	}
	if err != nil {
		return fmt.Errorf("cannot write stop order: %w", err)
	}
	return nil
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

// stopOrder merges the services of the views, higher levels first.
func stopOrder(views []View) (StopOrder, error) {
	s := StopOrder{Format: StopOrderFormat, Services: []StopService{}}
	seen := make(map[Slot]bool)
	var errs []error
	for _, v := range views {
		levels := v.DB.Levels()
		for i, e := range v.Table {
			if seen[e.Slot] {
				continue
			}
			seen[e.Slot] = true
			id := db.ServiceID(i)
			sv := StopService{
				Slot: e.Slot, Name: e.Name, Type: e.Type.String(),
				Level: uint32(levels.Of(id)), Timeout: uint32(v.DB.TimeoutDown(id)),
			}
			if e.Type == db.Oneshot {
				if err := sv.oneshot(v, id); err != nil {
					errs = append(errs, err)
				}
			}
			s.Services = append(s.Services, sv)
		}
	}
	sortStops(s.Services)
	return s, errors.Join(errs...)
}
