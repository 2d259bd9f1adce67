package source

import (
	"strata/compile/db"
	"strata/internal/diag"
)

// lowDescriptor warns of a descriptor that is a standard stream: the daemon would
// lose it.
func (w *worker) lowDescriptor(field string, fd db.Uint) {
	if !fd.Set || fd.Value > 2 {
		return
	}
	pos := w.def.FieldPos[field]
	w.diags.Warnf("low-fd", pos, "longrun %s has a %s of %d, which is a standard stream", w.name, field, fd.Value).
		Hint = "use 3 or more"
}

// sameDescriptor adds an error if one descriptor is to serve two purposes. Below
// 3 it is let pass with the warnings of lowDescriptor, as s6-rc does.
func (w *worker) sameDescriptor() *diag.Diagnostic {
	b := &w.def.Body
	if !b.NotificationFD.Set || !b.LockFD.Set || b.LockFD.Value < 3 || b.NotificationFD.Value != b.LockFD.Value {
		return nil
	}
	pos := w.def.FieldPos["lock-fd"]
	other := w.def.FieldPos["notification-fd"]
	d := w.diags.Errorf("same-fd", pos, "longrun %s has the same value, %d, for notification-fd and lock-fd", w.name, b.LockFD.Value)
	d.Related = []diag.Related{{Pos: other, Message: "notification-fd is given here"}}
	d.Hint = "choose another descriptor for one of them"
	return d
}

// badNumber adds an error about a number, with the first line of its file.
func (w *worker) badNumber(code diag.Code, name string, b []byte) *diag.Diagnostic {
	d := w.errorf(code, name, "invalid number in %s", name)
	show(d, b, 1, 1, len(b))
	return d
}
