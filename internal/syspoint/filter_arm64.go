package syspoint

import "golang.org/x/sys/unix"

// supported says that the tables are for this machine.
const supported = true

const sysRenameat = unix.SYS_RENAMEAT

// ownHarmless are those of [harmless] that only this architecture has.
var ownHarmless = []uint32{unix.SYS_FSTATAT, unix.SYS_GETRLIMIT}
