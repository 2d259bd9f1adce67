package s6

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestStampOf(t *testing.T) {
	for _, test := range []struct{ utc, stamp string }{
		{"1970-01-01T00:00:00Z", "@400000000000000a00000000"},
		{"1972-06-30T23:59:59Z", "@4000000004b2580900000000"},
		{"1972-07-01T00:00:00Z", "@4000000004b2580b00000000"},
		{"2016-12-31T23:59:59Z", "@40000000586846a300000000"},
		{"2017-01-01T00:00:00Z", "@40000000586846a500000000"},
		{"2026-11-20T00:00:00.5Z", "@400000006aff8da51dcd6500"},
	} {
		when, err := time.Parse(time.RFC3339Nano, test.utc)
		if err != nil {
			t.Fatal(err)
		}
		s := StampOf(when)
		if got := s.String(); got != test.stamp {
			t.Errorf("%s is %s, want %s", test.utc, got, test.stamp)
		}
		if back := s.Time(); !back.Equal(when) {
			t.Errorf("%s came back as %s", test.utc, back.UTC())
		}
	}
}

func TestStampRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unix := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "unix")
		nano := rapid.Int64Range(0, 1e9-1).Draw(t, "nano")
		when := time.Unix(unix, nano)
		s := StampOf(when)
		if !s.Time().Equal(when) {
			t.Fatalf("%v became %v", when, s.Time())
		}
		if UnpackStamp([12]byte(s.AppendPacked(nil))) != s {
			t.Fatal("packing loses something")
		}
		step := time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "step"))
		later := StampOf(when.Add(step))
		if later.Sub(s) < step || later.Compare(s) < 0 || s.Compare(later) > 0 {
			t.Fatalf("%v after %v is %v", later, s, later.Sub(s))
		}
	})
}

// Stamps that no clock gives must not do harm either.
func FuzzStamp(f *testing.F) {
	f.Add(uint64(0), uint32(0))
	f.Add(uint64(1<<62+10), uint32(999999999))
	f.Add(^uint64(0), ^uint32(0))
	f.Fuzz(func(t *testing.T, sec uint64, nano uint32) {
		s := RawStamp(sec, nano)
		if len(s.String()) != 25 || s.Compare(s) != 0 {
			t.Error(s)
		}
		_ = s.Time().UTC().String()
	})
}
