package writable

import (
	"fmt"
	"os"
	"testing"
)

func TestBy(t *testing.T) {
	self, other := uint32(os.Geteuid()), uint32(os.Geteuid())+12345
	for _, c := range []struct {
		uid, gid, mode uint32
		want           string
	}{
		{0, 0, 0o100644, ""},
		{0, 0, 0o100664, ""},
		{0, 54321, 0o100644, ""},
		{0, 54321, 0o100664, "group 54321"},
		{self, 54321, 0o040775, "group 54321"},
		{0, 0, 0o100666, "everyone"},
		{self, 0, 0o041777, "everyone"},
		{other, 0, 0o100400, fmt.Sprintf("its owner, user %d", other)},
	} {
		var by Checker
		for range 2 { // the second time from memory
			if got := by.By(c.uid, c.gid, c.mode); got != c.want {
				t.Errorf("By(%d, %d, %o) = %q, want %q", c.uid, c.gid, c.mode, got, c.want)
			}
		}
	}
}

// A user's own group is no other.
func TestOwnGroup(t *testing.T) {
	c := Checker{known: true, self: 7, groups: map[uint32]uint32{7: 70}}
	if got := c.By(7, 70, 0o100664); got != "" {
		t.Errorf("the owner's own group: %q", got)
	}
	if got := c.By(7, 71, 0o100664); got != "group 71" {
		t.Errorf("another group: %q", got)
	}
}
