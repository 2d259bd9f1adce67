package s6

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// stampSize is the length of a packed stamp in bytes.
const stampSize = 12

// taiEpoch is the TAI64 label of 1970-01-01 00:00:00 TAI.
const taiEpoch = 1 << 62

// leapSeconds holds the Unix time of each moment from which UTC was one second
// further behind TAI, after the 10 seconds of 1972. skalibs has the same table
// compiled in; there has been no leap second since 2017.
var leapSeconds = [...]int64{
	78796800, 94694400, 126230400, 157766400, 189302400, 220924800, 252460800,
	283996800, 315532800, 362793600, 394329600, 425865600, 489024000, 567993600,
	631152000, 662688000, 709948800, 741484800, 773020800, 820454400, 867715200,
	915148800, 1136073600, 1230768000, 1341100800, 1435708800, 1483228800,
}

// A Stamp is a moment as s6 stores it: a TAI64N label, which counts seconds of
// atomic time, leap seconds included. Stamps are comparable with ==. The zero
// Stamp is "never".
type Stamp struct {
	sec  uint64
	nano uint32
}

// StampOf gives the stamp of t, with the leap seconds that skalibs counts.
func StampOf(t time.Time) Stamp {
	unix := t.Unix()
	offset := int64(10)
	for _, at := range leapSeconds {
		if unix < at {
			break
		}
		offset++
	}
	return Stamp{uint64(taiEpoch + unix + offset), uint32(t.Nanosecond())}
}

// RawStamp gives the stamp with this TAI64 label and these nanoseconds, as they
// stand on the wire.
func RawStamp(sec uint64, nano uint32) Stamp { return Stamp{sec, nano} }

// unpackStamp reads the 12 big-endian bytes at the start of b.
func unpackStamp(b []byte) Stamp {
	return Stamp{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])}
}

// UnpackStamp reads a packed stamp, 12 big-endian bytes.
func UnpackStamp(b [12]byte) Stamp { return unpackStamp(b[:]) }

// AppendPacked appends the 12 bytes that s6 writes for the stamp.
func (s Stamp) AppendPacked(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, s.sec)
	return binary.BigEndian.AppendUint32(b, s.nano)
}

// IsZero reports whether the stamp is "never".
func (s Stamp) IsZero() bool { return s == Stamp{} }

// Time converts the stamp to wall-clock time. A stamp within a leap second gives
// the second after it.
func (s Stamp) Time() time.Time {
	unix := int64(s.sec-taiEpoch) - 10
	for _, at := range leapSeconds {
		if unix <= at {
			break
		}
		unix--
	}
	return time.Unix(unix, int64(s.nano))
}

// Sub gives the time from t to s. It needs no leap seconds, so it is exact even
// where [Stamp.Time] depends on a table.
func (s Stamp) Sub(t Stamp) time.Duration {
	return time.Duration(int64(s.sec-t.sec))*time.Second +
		time.Duration(int64(s.nano)-int64(t.nano))
}

// Compare gives -1 when s is before t, 0 when they are equal, 1 when s is after t.
func (s Stamp) Compare(t Stamp) int {
	switch {
	case s.sec < t.sec, s.sec == t.sec && s.nano < t.nano:
		return -1
	case s == t:
		return 0
	}
	return 1
}

// String gives the stamp as s6-log and tai64n write it: "@" and 24 hex digits.
func (s Stamp) String() string {
	var b [stampSize]byte
	return "@" + hex.EncodeToString(s.AppendPacked(b[:0]))
}
