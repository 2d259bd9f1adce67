package source

import (
	"bytes"
	"strconv"

	"strata/compile/db"
)

// readTimeout reads timeout-up or timeout-down: milliseconds, of which s6-rc
// reads up to 63 bytes and drops the newlines at the end.
func (w *worker) readTimeout(name string) db.Millis {
	b, err := w.get(name, 63)
	if err != nil {
		w.cannot("stat-failed", "read", name, err)
		return 0
	}
	if b == nil {
		return 0
	}
	w.def.FieldPos[name] = w.at(name)
	v, ok := number(bytes.TrimRight(b, "\n"))
	if !ok {
		w.badNumber("bad-timeout", name, b).Hint = "write a whole number of milliseconds below 2^32, and nothing else; 0 means no limit"
	}
	return db.Millis(v)
}

// readNumbers reads the numbers of a service directory of s6.
func (w *worker) readNumbers() {
	b := &w.def.Body
	b.NotificationFD = w.readUint("notification-fd")
	b.LockFD = w.readUint("lock-fd")
	b.TimeoutKill = w.readUint("timeout-kill")
	b.TimeoutFinish = w.readUint("timeout-finish")
	b.MaxDeathTally = w.readUint("max-death-tally")
	w.lowDescriptor("notification-fd", b.NotificationFD)
	w.lowDescriptor("lock-fd", b.LockFD)
	w.sameDescriptor()
}

// readUint reads a number of which s6-rc reads 11 bytes, up to the first newline.
func (w *worker) readUint(name string) db.Uint {
	const most = 11
	b, err := w.get(name, most+1)
	if err != nil {
		w.cannot("bad-uint", "read", name, err)
		return db.Uint{}
	}
	if b == nil {
		return db.Uint{}
	}
	w.def.FieldPos[name] = w.at(name)
	line, _, ended := bytes.Cut(b[:min(len(b), most)], []byte{'\n'})
	v, ok := number(line)
	if !ok {
		w.badNumber("bad-uint", name, b).Hint = "write a whole number below 2^32, without sign or blanks"
		return db.Uint{}
	}
	if !ended && len(b) > most && b[most] != '\n' {
		d := w.diags.Warnf("number-cut", w.at(name), "%s: only the first %d bytes of %s count, which give %d", w.name, most, name, v)
		show(d, b, 1, most+1, 1)
	}
	return db.Uint{Set: true, Value: v}
}

// number reads a decimal number below 2^32. A NUL ends it.
func number(b []byte) (uint32, bool) {
	b, _, _ = bytes.Cut(b, []byte{0})
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	v, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return 0, false
	}
	return uint32(v), true
}
