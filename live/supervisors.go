package live

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"sync/atomic"

	"strata/internal/atomicfs"
	"strata/live/s6"
)

// Whether a supervisor lives, its lock says; without one, what its status file says
// is old. To test thousands of locks takes as long as to read the status files. But
// s6-svscan is the parent of all supervisors, and the kernel's list of its children
// is read at once. The file supervisors is that list as it was when somebody had
// tested the locks: which child is whose supervisor.
//
// A process on the list that is there now need not be the one that was there then:
// pids come again. But the list has its children in the order in which they came.
// So if the last one of the file is still the same process, which its start tells,
// everybody before it came before it did, was there when the file was written, and
// is who the file says. Who comes after it, or is not in the file, is asked by the
// lock; so is everybody if anything is not as expected.
//
// A child that is dead is on the list until s6-svscan has taken note. It is awake
// between: the list is believed only if s6-svscan was seen asleep just before.

const supervisorsFormat = "strata-supervisors/1"

// presence says which slots have a supervisor: their pids, by slot, 0 where that is
// not known.
type presence struct {
	pids  []int32
	asked atomic.Int32 // how many were found by their lock
	// said is what some of them were heard to say, by slot.
	said []said
}

// said is what a supervisor has said, if it was asked.
type said struct {
	asked    bool
	unmarked bool // the file down is known not to be there
	status   s6.Status
}

// presenceLimit bounds the memory; nobody has that many services.
const presenceLimit = 1 << 20

// reach makes room for the slots below next.
func (p *presence) reach(next Slot) {
	if n := int(min(next, presenceLimit)) - len(p.pids); n > 0 {
		p.pids = append(p.pids, make([]int32, n)...)
	}
}

func (p *presence) has(slot Slot) bool {
	return uint64(slot) < uint64(len(p.pids)) && p.pids[slot] != 0
}

// found notes who holds the lock. A pid that cannot be seen from here is 0.
func (p *presence) found(slot Slot, pid int) {
	if uint64(slot) < uint64(len(p.pids)) {
		p.pids[slot] = int32(pid)
		p.asked.Add(1)
	}
}

// roll is the file supervisors.
type roll struct {
	namespace string  // in which the pids count
	svscan    process // the parent
	last      process // of the children
	children  []child // in the order in which they came
}

type child struct {
	pid  int
	slot Slot // 0 if it is not one of ours
}

// call fills in p who is surely there.
func (r *roll) call(p *presence) {
	now, err := readProcess(r.svscan.pid)
	if err != nil || now.start != r.svscan.start || now.state != asleep {
		return
	}
	pids, err := s6.Children(r.svscan.pid)
	if err != nil {
		return
	}
	if last, err := readProcess(r.last.pid); err != nil || last.start != r.last.start {
		return
	}
	for _, c := range r.here(pids) {
		p.reach(c.slot + 1)
		if c.slot != 0 && c.slot < presenceLimit {
			p.pids[c.slot] = int32(c.pid)
		}
	}
}

// here gives those of the file who are still here, if these are the children that
// s6-svscan has now and the last one of the file is the same process as it was.
func (r *roll) here(pids []int) []child {
	var here []child
	rest := r.children
	for _, pid := range pids {
		for len(rest) > 0 && rest[0].pid != pid {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return nil // it came before the last one, and nobody knew it
		}
		here, rest = append(here, rest[0]), rest[1:]
		if pid == r.last.pid {
			return here
		}
	}
	return nil
}

// callRoll says which supervisors are surely there, with little effort.
func (d *Dir) callRoll() *presence {
	p := new(presence)
	if r, ok := d.readRoll(); ok {
		r.call(p)
	}
	return p
}

// readRoll reads the file supervisors. There need not be one, and one of other pids
// does not count.
func (d *Dir) readRoll() (r roll, ok bool) {
	b, err := os.ReadFile(d.file("supervisors"))
	if err != nil {
		return r, false
	}
	r, ok = parseRoll(b)
	space, err := os.Readlink(pidNamespace)
	return r, ok && err == nil && space == r.namespace
}

const pidNamespace = "/proc/self/ns/pid"

// writeRoll writes the file supervisors for a presence of which all locks that were
// tested were tested after began. A supervisor that has just come, or a full disk,
// can prevent it.
func (d *Dir) writeRoll(p *presence, began uint64) error {
	r, err := d.makeRoll(p, began)
	if err != nil || r == nil {
		return err
	}
	text := r.text()
	return atomicfs.WriteFile(d.file("supervisors"), 0o644, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
}

func (d *Dir) makeRoll(p *presence, began uint64) (*roll, error) {
	space, err := os.Readlink(pidNamespace)
	if err != nil {
		return nil, err
	}
	epoch, err := CurrentEpoch(d.scandir)
	if err != nil || epoch.PID == 0 {
		return nil, err
	}
	pids, err := s6.Children(epoch.PID)
	if err != nil {
		return nil, err
	}
	slots := make(map[int]Slot, len(pids))
	for slot, pid := range p.pids {
		slots[int(pid)] = Slot(slot)
	}
	delete(slots, 0)
	r := &roll{namespace: space, svscan: process{epoch.PID, epoch.Start, 0}}
	ours := 0
	for _, pid := range pids {
		r.children = append(r.children, child{pid, slots[pid]})
		if slots[pid] != 0 {
			ours = len(r.children)
		}
	}
	if ours == 0 {
		return nil, nil
	}
	r.children = r.children[:ours]
	r.last, err = readProcess(r.children[ours-1].pid)
	if r.last.start >= began {
		// Not all of the others need have been there when they were asked.
		return nil, err
	}
	return r, err
}

// text is what stands in the file: two lines, and one for each child.
func (r *roll) text() []byte {
	body := fmt.Appendf(nil, "%s %d %d %d\n", r.namespace, r.svscan.pid, r.svscan.start, r.last.start)
	for _, c := range r.children {
		body = strconv.AppendInt(body, int64(c.pid), 10)
		body = append(body, ' ')
		body = strconv.AppendUint(body, uint64(c.slot), 10)
		body = append(body, '\n')
	}
	return withRollSum(body)
}

// withRollSum puts the first line before the others.
func withRollSum(body []byte) []byte {
	return append(fmt.Appendf(nil, "%s %08x\n", supervisorsFormat, rollSum(body)), body...)
}

func rollSum(body []byte) uint32 { return crc32.ChecksumIEEE(body) }

// parseRoll reads what text wrote.
func parseRoll(b []byte) (r roll, ok bool) {
	head, body, _ := bytes.Cut(b, []byte("\n"))
	if string(head) != fmt.Sprintf("%s %08x", supervisorsFormat, rollSum(body)) {
		return r, false
	}
	first, rest, _ := bytes.Cut(body, []byte("\n"))
	if n, err := fmt.Sscanf(string(first), "%s %d %d %d", &r.namespace, &r.svscan.pid, &r.svscan.start, &r.last.start); n != 4 || err != nil {
		return r, false
	}
	r.children = make([]child, 0, bytes.Count(rest, []byte("\n")))
	for len(rest) > 0 {
		var pid, slot uint64
		if pid, rest, ok = cutNumber(rest, ' '); !ok {
			return r, false
		}
		if slot, rest, ok = cutNumber(rest, '\n'); !ok {
			return r, false
		}
		r.children = append(r.children, child{int(pid), Slot(slot)})
	}
	if len(r.children) == 0 {
		return r, false
	}
	r.last.pid = r.children[len(r.children)-1].pid
	return r, true
}

// cutNumber takes a number below 2^32 and what ends it.
func cutNumber(b []byte, end byte) (n uint64, rest []byte, ok bool) {
	for i, c := range b {
		switch {
		case c == end && i > 0:
			return n, b[i+1:], true
		case c < '0' || c > '9' || n > 1<<32/10:
			return 0, nil, false
		}
		n = n*10 + uint64(c-'0')
	}
	return 0, nil, false
}
