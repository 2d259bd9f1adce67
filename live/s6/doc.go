// Package s6 speaks to s6-svscan and s6-supervise natively: it reads their
// state files, writes their control FIFOs and listens to their events, without
// starting any of the s6 client programs.
//
// # The two programs
//
// s6-svscan watches a scan directory, the scandir. Each entry is a service
// directory, or a link to one, and for each s6-svscan keeps one s6-supervise.
// s6-supervise keeps one daemon alive, and three things in the service
// directory belong to it:
//
//   - supervise/status: 35 bytes, replaced by rename at every change. [ReadStatus].
//   - supervise/control: a FIFO that takes one byte for each command. [SendControl].
//   - event/: a directory of FIFOs, one for each listener, into which it writes a
//     letter for each transition. [Subscribe].
//
// # Waiting without polling
//
// s6-supervise writes the status before it sends the letter. So a client that
// subscribes first, then reads the status, then sends its command, then reads
// the status again at each letter, can miss nothing. [WaitFor] is this
// algorithm. Three things the status cannot say are looked after as well: the
// letter O (the service gave up for good), the death of s6-supervise itself (a
// pidfd; after SIGKILL there is no letter), and a run program that cannot be
// executed (no letter at all).
//
// # Adding and removing services
//
// [Seed] makes a complete service directory ready for its supervisor, [Link] puts
// many of them into the scandir with one rescan and waits until each has its
// supervisor, [Unlink] takes them out and waits until none is left.
//
// # Versions
//
// All of it works with s6 2.11 (Debian 12) and 2.15. Control bytes that one of
// the two does not know (Q, l, P, C, K) are never sent: see [Command].
//
// # Many waits at once
//
// A [Loop] carries many waits, which share one epoll descriptor and one goroutine.
// Each wait has a FIFO and a pidfd of its own registered there, under a key that
// is never given twice; when one of them becomes readable the loop wakes the wait,
// which reads what has come, reads the status and decides. So a wait holds at most
// [FDsPerWait] descriptors and no thread, and its goroutine is that of its caller.
// A Loop without a wait holds nothing.
//
// All functions may be called from several goroutines at once.
package s6
