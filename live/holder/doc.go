// Package holder makes s6's fd-holder keep the pipes of pipelines over the death
// of anybody: of a member, and of the fd-holder itself.
//
// The fd-holder is an internal service of the live directory. Its run executes
// [Main], in three roles:
//
//   - The first process, which s6-supervise watches, starts the filler and becomes
//     s6-fdholder-daemon once the filler has all pipes in its hands.
//   - The filler takes each pipe from wherever it is: from a daemon that still runs
//     because its supervisor was killed, else from a living member, else it makes
//     one. When the daemon listens it stores them all, and only then says that
//     the service is ready.
//   - A process in between starts the filler and ends, so that the filler is
//     nobody's child and the daemon has none to wait for.
//
// Which pipe of a living process is the one in question has to be certain: a
// daemon may have its standard output elsewhere. So whoever stores a pipe notes
// its inode (see [RecordPath]), and a pipe without a note is believed only if
// consumer and producer have the same one.
//
// [Store] is the same for others who find the fd-holder without a pipe.
//
// No byte in a pipe is lost as long as one of its consumer, its producers and the
// fd-holder lives. What is in a pipe when the last of them dies is gone.
package holder
