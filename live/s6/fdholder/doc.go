// Package fdholder is a native client of s6-fdholderd, the daemon of s6 that keeps
// file descriptors under a name for others to fetch. It speaks the daemon's
// protocol itself; it starts none of the s6-fdholder programs.
//
// A descriptor is stored as a copy: whoever stored it closes its own. Fetching
// gives a copy too, unless it is to be deleted. So a pipe whose two ends lie in
// the holder survives the restart of both processes that use it.
//
// What a client may do depends on its user and group and on the rules of the
// daemon. A refused request is an [*Error] with EPERM; a client that no rule
// allows has its connection dropped.
package fdholder
