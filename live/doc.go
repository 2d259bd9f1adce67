// Package live is the live directory: what a running machine's set of services
// is kept in, between the compiled database and the supervisor.
//
// # The directory
//
// LIVE, usually /run/strata/live, is a link to a real directory beside it. In
// that:
//
//	format                what this is, with a version
//	lock                  held by the one process that changes anything
//	db/DIGEST.db          verified copies of the databases in use
//	compiled              link to the current one
//	scandir, prefix       where s6-svscan looks, and how our names begin there
//	sv/SLOT/              what s6-supervise runs in, one a longrun
//	sv/SLOT/def           the one link that says which definition counts
//	defs/SLOT/DIGEST/     definitions: run, finish, data, ...; up, down of oneshots
//	servicedirs/NAME      link to sv/SLOT
//	SCANDIR/PREFIXNAME    link to sv/SLOT
//	journal               what was wanted, done, observed (package journal)
//	state                 a summary for everyone
//	supervisors           who supervised what, to save readers time
//	stop-order            how to stop everything without database and journal
//	event/                fifodir that is notified of each change
//	requests/             what waits for the holder of the lock
//
// A [Slot] is given to a service once and never again. A rename only switches
// links, and no daemon moves, since s6-svscan knows a service by device and inode
// of its directory. A new definition only switches def, and counts from the next
// start on.
//
// # Reading
//
// [Open] and [Dir.State] need no lock: everything is replaced atomically or
// appended to. The state joins two truths: the journal's about intent, oneshots
// and patches, and s6's about longruns.
//
// # Writing
//
// [Dir.Lock] gives the [Writer], whose methods are the building blocks of starts,
// stops and updates. Each can be repeated: a writer that was killed in the middle
// of one leaves something that the same call completes.
//
// [Init] makes a live directory, with all supervisors up and all services down.
package live
