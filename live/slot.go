package live

import (
	"strconv"

	"strata/live/journal"
)

// Slot is the number of a service in one live directory, given once and never
// again. 0 is no slot.
type Slot = journal.Slot

// The slots of the internal services, and the first one that a service of a
// database can have.
const (
	RunnerSlot  Slot = 1
	HolderSlot  Slot = 2
	ApplierSlot Slot = 3
	FirstSlot   Slot = 16
)

// Internal is a service of the live directory itself. It is a longrun, supervised
// like others, in no database, and down until somebody needs it.
type Internal struct {
	// Name is its name in servicedirs and, after the prefix, in the scandir.
	Name string
	Slot Slot
}

// The internal services: Runner runs the programs of oneshots, Holder keeps the
// pipes of pipelines, and both say when they are ready. Applier applies a patch, and
// runs as long as that takes.
var (
	Runner  = Internal{Name: "s6rc-oneshot-runner", Slot: RunnerSlot}
	Holder  = Internal{Name: "s6rc-fdholder", Slot: HolderSlot}
	Applier = Internal{Name: "s6rc-applier", Slot: ApplierSlot}
)

// Internals returns the internal services.
func Internals() []Internal { return []Internal{Runner, Holder, Applier} }

// PipeReader and PipeWriter name the ends of the pipe into the longrun with the
// slot consumer, as the fd-holder knows them.
func PipeReader(consumer Slot) string { return "pipe:strata-r-" + slotName(consumer) }

// PipeWriter is the end of the pipe that producers write to; see [PipeReader].
func PipeWriter(consumer Slot) string { return "pipe:strata-w-" + slotName(consumer) }

func slotName(s Slot) string { return strconv.FormatUint(uint64(s), 10) }

func parseSlot(s string) (Slot, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return Slot(n), err == nil && slotName(Slot(n)) == s
}
