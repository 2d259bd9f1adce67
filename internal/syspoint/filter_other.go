//go:build !amd64 && !arm64

package syspoint

const supported = false

const sysRenameat = ^uint32(0)

var ownHarmless []uint32
