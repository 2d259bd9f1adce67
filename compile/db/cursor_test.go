package db

import (
	"bytes"
	"testing"
)

// TestCursor looks for all keys, for some, and for keys that are not there.
func TestCursor(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*Model{"tiny": tiny(t), "rich": rich(t), "large": large(t, 2000)} {
		db := mustOpen(t, write(t, m))
		for _, b := range []bucket{db.services, db.notes, db.blobs} {
			for _, step := range []int{1, 7, 500} {
				c, n := b.cursor(), 0
				err := b.each(func(key, value []byte) error {
					if n++; n%step != 0 {
						return nil
					}
					if before := key[:len(key)-1]; n > step {
						if _, ok := c.find(before); ok {
							t.Errorf("%s: found %x", name, before)
						}
					}
					if got, ok := c.find(key); !ok || !bytes.Equal(got, value) {
						t.Errorf("%s: %x is not found", name, key)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if _, ok := c.find(bytes.Repeat([]byte{0xff}, 40)); ok || c.key != nil {
					t.Errorf("%s: found something behind the end", name)
				}
			}
		}
	}
	var none cursor
	if _, ok := none.find(nil); ok {
		t.Error("found something in no bucket")
	}
}
