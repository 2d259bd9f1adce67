// Package writable says who can write to a file besides root and the caller.
//
// Whoever can write to a definition, a database or a live directory decides what
// runs as its user, so the tools look before they trust one.
package writable

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// Checker looks at files. The zero value is ready to use; it is for one goroutine,
// since it remembers what it asked the system.
type Checker struct {
	known  bool
	self   uint32
	groups map[uint32]uint32 // the own group of a user
}

// By says in words who else can write to a file of this owner, group and mode (as
// in stat): its owner, if that is neither root nor the caller; everyone; a group
// that is neither root's nor the owner's own. It returns "" if nobody can.
func (c *Checker) By(uid, gid, mode uint32) string {
	if !c.known {
		c.known, c.self = true, uint32(os.Geteuid())
	}
	switch {
	case uid != 0 && uid != c.self:
		return fmt.Sprintf("its owner, user %d", uid)
	case mode&0o002 != 0:
		return "everyone"
	case mode&0o020 != 0 && gid != 0 && gid != c.groupOf(uid):
		return fmt.Sprintf("group %d", gid)
	}
	return ""
}

// groupOf returns a user's own group, or 0 if the user is not known.
func (c *Checker) groupOf(uid uint32) uint32 {
	if gid, ok := c.groups[uid]; ok {
		return gid
	}
	var gid uint64
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		gid, _ = strconv.ParseUint(u.Gid, 10, 32)
	}
	if c.groups == nil {
		c.groups = map[uint32]uint32{}
	}
	c.groups[uid] = uint32(gid)
	return uint32(gid)
}
