package live

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
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
	// Contents are the content digests of the databases: services count from 0. Of one
	// alone it is that for which the file was written: see [Dir.FollowStopOrder].
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
		slots = binary.BigEndian.AppendUint32(slots, uint32(e.Slot))
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
	s, err := parseStopOrder(b, d.current())
	if err != nil {
		return StopOrder{}, fmt.Errorf("cannot read stop order %s: %w", d.file("stop-order"), err)
	}
	return s, nil
}

// parseStopOrder reads a stop order. current is the database that counts, zero if that
// is not known.
func parseStopOrder(b []byte, current db.Digest) (StopOrder, error) {
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
	if len(order.Head.Contents) == 1 && current != (db.Digest{}) {
		order.Head.Contents[0] = current
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

// hasStopOrder says that the file, by its head, is that of one database with this table:
// its end can be far away.
func (d *Dir) hasStopOrder(t journal.Table) bool {
	const most = 4 << 10 // bytes of head
	f, err := os.Open(d.file("stop-order"))
	if err != nil {
		return false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return false
	}
	_, order, begun := bytes.Cut(b, []byte(stopMiddle+stopHeads))
	text, _, ended := bytes.Cut(order, []byte(stopList))
	var head stopHead
	return begun && ended && json.Unmarshal(text, &head) == nil && len(head.Contents) == 1 && head.Slots == slotsSum(t)
}
