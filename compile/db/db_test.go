package db

import (
	"bytes"
	"os"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*Model{"tiny": tiny(t), "rich": rich(t), "empty": complete(t, &Model{}, "", "", ""), "large": large(t, 300), "larger": large(t, 20000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, m)
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, open := range []func(string) (*DB, error){Open, OpenLive} {
				db, err := open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				if err := db.Check(); err != nil {
					t.Error(err)
				}
				got, err := db.Load()
				if err != nil {
					t.Fatal(err)
				}
				// What was read gives the same file again.
				if again, err := os.ReadFile(write(t, got)); err != nil || !bytes.Equal(file, again) {
					t.Errorf("written again, the file is another (%v)", err)
				}
				if fingerprint(t, got) == fingerprint(t, m) && len(m.Services) > 1000 {
					continue
				}
				if d := diffModels(m, got); d != "" {
					t.Errorf("loaded model differs (-written +read):\n%s", d)
				}
			}
		})
	}
}
