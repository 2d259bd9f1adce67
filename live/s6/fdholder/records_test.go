package fdholder

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestNever(t *testing.T) {
	if got := Never(0).String(); got != "@600000000000000000000000" {
		t.Errorf("never is %s", got)
	}
	if Never(1) == Never(2) || Never(1e9) == Never(0) || !IsNever(Never(5)) {
		t.Error("numbers do not make a difference")
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02pipe:r\x00pipe:w\x00"))
	f.Add([]byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, err := parseList(b)
		if err != nil {
			return
		}
		again := binary.BigEndian.AppendUint32(nil, uint32(len(ids)))
		for _, id := range ids {
			again = append(append(again, id...), 0)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%q became %q", b, again)
		}
	})
}

func FuzzRecords(f *testing.F) {
	seed, _ := appendID(Never(7).AppendPacked(nil), "pipe:r")
	f.Add(seed, 1)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > maxFDs {
			return
		}
		records, err := parseRecords(b, n)
		if err != nil {
			return
		}
		var again []byte
		for _, r := range records {
			if again, err = appendID(r.expiry.AppendPacked(again), r.id); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%q became %q", b, again)
		}
	})
}
