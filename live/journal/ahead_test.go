package journal

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestReadAhead: whatever becomes of a journal after it was read ahead, who writes then
// knows what one knows that reads it then.
func TestReadAhead(t *testing.T) {
	cut := func(w *Writer) error { return w.f.Truncate(w.size - 1) }
	for name, meanwhile := range map[string]func(w *Writer, path string) error{
		"nothing": func(*Writer, string) error { return nil },
		"appended": func(w *Writer, _ string) error {
			_, err := w.Append("", Up{Slot: 5}, Want{[]Slot{5}, true})
			return err
		},
		"replaced": func(w *Writer, _ string) error {
			_, err := w.Append("", Up{Slot: 5})
			return errors.Join(err, w.Compact())
		},
		"torn": func(w *Writer, path string) error {
			_, err := w.f.WriteString("4 0123")
			return err
		},
		"cut": func(w *Writer, _ string) error { return cut(w) },
		"cut and appended": func(w *Writer, path string) error {
			err := cut(w)
			again, err2 := OpenWriter(path)
			if err = errors.Join(err, err2); err != nil {
				return err
			}
			_, err = again.Append("", Want{[]Slot{5}, true}, Want{[]Slot{5}, true}, Want{[]Slot{5}, true})
			return errors.Join(err, again.Close())
		},
		"damaged": func(w *Writer, path string) error {
			b, err := os.ReadFile(path)
			b[len(b)-5] ^= 1
			return errors.Join(err, os.WriteFile(path, b, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, path := created(t, oneService)
			mustAppend(t, w, Up{Slot: 5}, Down{Slot: 5})
			ahead, err := ReadAhead(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := meanwhile(w, path); err != nil {
				t.Fatal(err)
			}
			want, wantErr := Load(path)
			got, err := ahead.OpenWriter()
			if (err == nil) != (wantErr == nil) || errors.Is(err, ErrCorrupt) != errors.Is(wantErr, ErrCorrupt) {
				t.Fatalf("%v, and read then %v", err, wantErr)
			}
			if err != nil {
				return
			}
			defer got.Close()
			if d := cmp.Diff(want.State(), got.State(), equal); d != "" {
				t.Errorf("read then against read ahead:\n%s", d)
			}
			mustAppend(t, got, Up{Slot: 5})
			checkFile(t, got, path)
			if other, err := OpenWriter(path); err != nil || other.more != got.more || other.compact != got.compact {
				t.Errorf("counts %+v, another writer %+v, %v", got.more, other, err)
			}
		})
	}
}

// TestReadAheadAnyTime: whatever was written and compacted before a journal was read
// ahead and after, with the inode of a file that is gone given again where the file
// system does that.
func TestReadAheadAnyTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, path := created(t, oneService)
		write := func(what string) {
			for range rapid.IntRange(0, 4).Draw(rt, what) {
				mustAppend(t, w, slices.Repeat([]Event{Down{Slot: 5}, Up{Slot: 5}}, rapid.IntRange(0, 2).Draw(rt, "pairs"))...)
				if rapid.Bool().Draw(rt, "compact") {
					if err := w.Compact(); err != nil {
						rt.Fatal(err)
					}
				}
			}
		}
		write("before")
		ahead, err := ReadAhead(path)
		if err != nil {
			rt.Fatal(err)
		}
		write("after")
		got, err := ahead.OpenWriter()
		if err != nil {
			rt.Fatal(err)
		}
		defer got.Close()
		if d := cmp.Diff(w.State(), got.State(), equal); d != "" {
			rt.Errorf("who wrote against who read ahead:\n%s", d)
		}
		if got.size != w.size || got.more != w.more {
			rt.Errorf("%d bytes and %d records, want %d and %d", got.size, got.more, w.size, w.more)
		}
	})
}

// TestReadAheadCut: a file that lost a part of its only record is not written to.
func TestReadAheadCut(t *testing.T) {
	w, path := created(t, oneService)
	ahead, err := ReadAhead(path)
	if err != nil {
		t.Fatal(err)
	}
	size := w.size - 1
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	if _, err := ahead.OpenWriter(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("open: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		t.Errorf("%d bytes, want %d (%v)", info.Size(), size, err)
	}
}
