// Package board keeps what the supervisors of a live directory have said last, so that
// a command that wants to know it of thousands need not open as many files. The oneshot
// runner, which is there anyway, keeps a [Board]; commands read it with [Dial].
//
// It says nothing that the files do not say: the status, and whether the file down is
// there. What it has read of a service it says as long as the kernel has told of no
// change in its directories: s6-supervise replaces the file status with a rename, which
// the kernel tells of before that returns.
//
// To be asked costs the runner little, and what happens meanwhile less: the kernel keeps
// the first change since it has read, and it sleeps through that. It reads again after
// somebody has asked, and before it rests when programs have run. What it does not
// know, and all if there is no runner, is read from the files.
//
// # The protocol
//
// Who connects to the socket is given the line [Format] and then a row for each service
// that is known: its slot (4 bytes, most significant first), its status (the 35 bytes of
// the file), and 1 if the file down is there, else 0. Then the connection is closed.
package board
