package live

import (
	"fmt"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/servicedir"
)

// HolderCommand is the sub-command of the binary that becomes the fd-holder and
// fills it (see package holder). It is followed by --fd N, the descriptor on which
// to say that it is ready, and the real live directory.
const HolderCommand = "fd-holder"

// HolderGivesUp is what [HolderCommand] exits with where another try would fare
// no better. The holder is not started again then.
const HolderGivesUp = 100

// HolderConnections is how many clients the holder serves at once. The others
// wait; a retrieval takes less than a millisecond.
const HolderConnections = 64

// holderReserve is how many descriptors the holder needs beside those that it
// keeps: its connections, those that travel in one message, and its own. If it
// cannot accept a connection it dies.
const holderReserve = HolderConnections + 253 + 19

// pipePattern matches the identifiers that the holder takes.
const pipePattern = "^pipe:strata-"

// RoomError says that the fd-holder may not have as many descriptors open as
// there are ends of pipes.
type RoomError struct {
	Pipes int    // longruns that others feed
	Limit uint64 // RLIMIT_NOFILE of the holder, the hard one
}

// Error says what to do.
func (e *RoomError) Error() string {
	need := 2*e.Pipes + holderReserve
	return fmt.Sprintf("%d pipes are too many for the fd-holder: it needs %d descriptors, and RLIMIT_NOFILE allows it %d: start s6-svscan with a hard limit of %d or more (ulimit -H -n %d)",
		e.Pipes, need, e.Limit, need, need)
}

// HolderRoom gives how many descriptors the holder should take if there are so many
// pipes and its hard limit of open files is limit. The error is a [*RoomError].
func HolderRoom(pipes int, limit uint64) (int, error) {
	const most = 1 << 20
	room := int(min(limit, most)) - holderReserve
	if room < 2*pipes {
		return 0, &RoomError{pipes, limit}
	}
	// Later databases find room too: an update does not restart it.
	const least, growth = 2000, 2
	return min(max(least, growth*2*pipes), max(room, 1)), nil
}

// holderTree is the service directory of the fd-holder: s6's own, for root and
// the tree's owner alone.
func holderTree(o internalOptions) servicedir.Tree {
	run := "#!/bin/sh\nexec " + servicedir.Quote(o.program) + " " + HolderCommand + " --fd 3 " + servicedir.Quote(o.real) + "\n"
	finish := fmt.Sprintf("#!/bin/sh\n[ \"$1\" != %d ] || exit 125 # it would fail again\n", HolderGivesUp)
	env := "data/rules/uid/0/env"
	return servicedir.Tree{
		dir("data"),
		dir("data/rules"),
		dir("data/rules/uid"),
		dir("data/rules/uid/0"),
		file("data/rules/uid/0/allow", 0o644, ""),
		dir(env),
		file(env+"/S6_FDHOLDER_GETDUMP", 0o644, "\n"),
		file(env+"/S6_FDHOLDER_LIST", 0o644, "\n"),
		link(env+"/S6_FDHOLDER_RETRIEVE_REGEX", "S6_FDHOLDER_STORE_REGEX"),
		file(env+"/S6_FDHOLDER_SETDUMP", 0o644, "\n"),
		file(env+"/S6_FDHOLDER_STORE_REGEX", 0o644, pipePattern+"\n"),
		link("data/rules/uid/self", "0"),
		file("finish", 0o755, finish),
		file("notification-fd", 0o644, "3\n"),
		file("run", 0o755, run),
	}
}

// countPipes gives the number of pipes that the longruns of a database need.
func countPipes(d *db.DB) int {
	n := 0
	for i := range d.Len() {
		if d.HasProducers(db.ServiceID(i)) {
			n++
		}
	}
	return n
}

// warnRoom warns of pipes that the fd-holder will not have room for.
func (in *initer) warnRoom(database *db.DB) {
	var limit unix.Rlimit
	if in.epoch.PID == 0 || unix.Prlimit(in.epoch.PID, unix.RLIMIT_NOFILE, nil, &limit) != nil {
		return // in another PID namespace, or somebody else's
	}
	if _, err := HolderRoom(countPipes(database), limit.Max); err != nil {
		in.warn("%v", err)
	}
}
