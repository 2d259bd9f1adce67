package syspoint

import "golang.org/x/sys/unix"

// supported says that the tables are for this machine.
const supported = true

const sysRenameat = unix.SYS_RENAMEAT

// ownHarmless are those of [harmless] that only this architecture has.
var ownHarmless = []uint32{
	unix.SYS_NEWFSTATAT, unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_ACCESS, unix.SYS_READLINK, unix.SYS_POLL, unix.SYS_SELECT, unix.SYS_EPOLL_WAIT,
	unix.SYS_ARCH_PRCTL, unix.SYS_DUP2, unix.SYS_GETRLIMIT, unix.SYS_GETPGRP,
}
