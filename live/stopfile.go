package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"slices"

	"strata/compile/db"
	"strata/internal/atomicfs"
	"strata/live/journal"
)

// stopFile is the JSON of the file stop-order: the order with its checksum, since
// nobody wants to run what a flipped bit made of a down program.
type stopFile struct {
	Format string          `json:"format"`
	CRC    string          `json:"crc32"`
	Order  json.RawMessage `json:"order"`
}

// stopHead is what stands before the services, which are the same for databases that
// are alike.
type stopHead struct {
	Epoch journal.Epoch `json:"epoch"`
	// Contents are the content digests of the databases: services count from 0.
	Contents []db.Digest `json:"contents"`
	// Slots is a checksum of the table, if there is one database.
	Slots string `json:"slots,omitempty"`
}

// stopServiceJSON is a [StopService] with strings of any bytes. DB is the place of its
// database.
type stopServiceJSON struct {
	StopService
	Name journal.Text   `json:"name"`
	Down []journal.Text `json:"down,omitempty"`
	TTY  journal.Text   `json:"tty,omitempty"`
	DB   int            `json:"db,omitempty"`
}

// What stands around head and services.
const (
	stopBegin  = `{"format":"` + StopOrderFormat + `","crc32":"`
	stopMiddle = `","order":`
	stopHeads  = `{"head":`
	stopList   = `,"services":[`
	stopEnd    = "}\n"
)

func stopSum(order []byte) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE(order)) }

// slotsSum is a checksum of the slots of a table.
func slotsSum(t journal.Table) string {
	var slots []byte
	for _, e := range t {
		slots = fmt.Appendf(slots, "%d ", e.Slot)
	}
	return stopSum(slots)
}

// StopOrder reads the file stop-order. The error wraps [ErrFormat] if it is of
// another release, [ErrCorrupt] if it is damaged.
func (d *Dir) StopOrder() (StopOrder, error) {
	b, err := os.ReadFile(d.file("stop-order"))
	if err != nil {
		return StopOrder{}, fmt.Errorf("cannot read stop order: %w", err)
	}
	s, err := parseStopOrder(b)
	if err != nil {
		return StopOrder{}, fmt.Errorf("cannot read stop order %s: %w", d.file("stop-order"), err)
	}
	return s, nil
}

func parseStopOrder(b []byte) (StopOrder, error) {
	var f stopFile
	if err := json.Unmarshal(b, &f); err != nil {
		return StopOrder{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if f.Format != StopOrderFormat {
		return StopOrder{}, fmt.Errorf("%w: %q", ErrFormat, f.Format)
	}
	if f.CRC != stopSum(f.Order) {
		return StopOrder{}, fmt.Errorf("%w: its checksum is wrong", ErrCorrupt)
	}
	var order struct {
		Head     stopHead          `json:"head"`
		Services []stopServiceJSON `json:"services"`
	}
	if err := json.Unmarshal(f.Order, &order); err != nil {
		return StopOrder{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	s := StopOrder{Epoch: order.Head.Epoch, Services: make([]StopService, len(order.Services))}
	for i, o := range order.Services {
		sv := o.StopService
		sv.Name, sv.TTY = string(o.Name), string(o.TTY)
		for _, word := range o.Down {
			sv.Down = append(sv.Down, string(word))
		}
		if sv.Def != nil {
			if uint(o.DB) >= uint(len(order.Head.Contents)) {
				return StopOrder{}, fmt.Errorf("%w: it has no database %d", ErrCorrupt, o.DB)
			}
			sv.Content = &order.Head.Contents[o.DB]
		}
		s.Services[i] = sv
	}
	return s, nil
}

// stopHead is the head for these databases.
func (d *Dir) stopHead(views ...View) stopHead {
	var head stopHead
	head.Epoch, _ = CurrentEpoch(d.scandir) // without it a reader knows less
	for _, v := range views {
		head.Contents = append(head.Contents, v.DB.Content())
	}
	if len(views) == 1 {
		head.Slots = slotsSum(views[0].Table)
	}
	return head
}

// writeStopOrder writes the file. The head has all databases of the services.
func (d *Dir) writeStopOrder(head stopHead, list []StopService) error {
	services, err := stopText(list, head.Contents)
	if err != nil {
		return err
	}
	return d.writeStopFile(head, services)
}

// writeStopFile writes the file. services is what follows the head.
func (d *Dir) writeStopFile(head stopHead, services []byte) error {
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	order := slices.Concat([]byte(stopHeads), text, services)
	return atomicfs.WriteFile(d.file("stop-order"), 0o600, func(f *os.File) error {
		_, err := f.Write(slices.Concat([]byte(stopBegin+stopSum(order)+stopMiddle), order, []byte(stopEnd)))
		return err
	})
}

// stopText is the JSON of the services. There can be thousands, at each update.
func stopText(list []StopService, contents []db.Digest) ([]byte, error) {
	texts := make([][]byte, len(list))
	err := spread(len(texts), func(i int) (err error) {
		sv := list[i]
		text := stopServiceJSON{StopService: sv, Name: journal.Text(sv.Name), TTY: journal.Text(sv.TTY)}
		for _, word := range sv.Down {
			text.Down = append(text.Down, journal.Text(word))
		}
		if sv.Content != nil {
			text.DB = slices.Index(contents, *sv.Content)
		}
		texts[i], err = json.Marshal(text)
		return err
	})
	return slices.Concat([]byte(stopList), bytes.Join(texts, []byte(",")), []byte("]}")), err
}

// stopServices gives what follows the head in the file stop-order, if that is the one
// of this view as [Dir.WriteStopOrder] writes it.
func (d *Dir) stopServices(v View) (services []byte, ok bool) {
	b, err := os.ReadFile(d.file("stop-order"))
	if err != nil {
		return nil, false
	}
	rest, ok := bytes.CutPrefix(b, []byte(stopBegin))
	sum, order, cut := bytes.Cut(rest, []byte(stopMiddle))
	order, ended := bytes.CutSuffix(order, []byte(stopEnd))
	if !ok || !cut || !ended || string(sum) != stopSum(order) {
		return nil, false
	}
	at := bytes.Index(order, []byte(stopList))
	var head stopHead
	if at < len(stopHeads) || json.Unmarshal(order[len(stopHeads):at], &head) != nil {
		return nil, false
	}
	return order[at:], slices.Equal(head.Contents, []db.Digest{v.DB.Content()}) && head.Slots == slotsSum(v.Table)
}
