package live

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"strata/compile/db"
	"strata/live/journal"
	"strata/live/servicedir"
)

// View is a database with the slots that its services have in a live directory.
type View struct {
	DB    *db.DB
	Table journal.Table
}

// Slot is the slot of a service, or 0.
func (v View) Slot(id db.ServiceID) Slot {
	if uint64(id) >= uint64(len(v.Table)) {
		return 0
	}
	return v.Table[id].Slot
}

// Pipes are the pipes of a longrun.
func (v View) Pipes(id db.ServiceID) servicedir.Pipes {
	var p servicedir.Pipes
	if v.DB.HasProducers(id) {
		p.Read = PipeReader(v.Slot(id))
	}
	if c := v.DB.Consumer(id); c != db.None {
		p.Write = PipeWriter(v.Slot(c))
	}
	if p != (servicedir.Pipes{}) {
		p.Socket = "../" + slotName(HolderSlot) + "/s"
	}
	return p
}

// Definition is the digest of what a service is made of here: the database's for
// a service without pipes, and else one that covers them too, since they are
// named by slot.
func (v View) Definition(id db.ServiceID) db.Digest {
	def := v.DB.Definition(id)
	p := v.Pipes(id)
	if p == (servicedir.Pipes{}) && !v.DB.Private() {
		return def
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\n%s\n%s\n%s\n%t\n", def, p.Read, p.Write, p.Socket, v.DB.Private())
	return db.Digest(h.Sum(nil))
}

// Render gives the files of a service.
func (v View) Render(id db.ServiceID) (servicedir.Tree, error) {
	svc, err := v.DB.Service(id)
	if err != nil {
		return nil, err
	}
	style := servicedir.Live
	if v.DB.Private() {
		style = servicedir.LivePrivate
	}
	return servicedir.Render(svc, v.Pipes(id), v.DB.Blob, style)
}

// check says whether the table belongs to the database.
func (v View) check() error {
	if len(v.Table) != v.DB.Len() {
		return fmt.Errorf("%w: the journal has %d services, the database %d", ErrCorrupt, len(v.Table), v.DB.Len())
	}
	for i, e := range v.Table {
		id := db.ServiceID(i)
		if e.Name != v.DB.Name(id) || e.Type != v.DB.Type(id) {
			return fmt.Errorf("%w: the journal has %q where the database has %q", ErrCorrupt, e.Name, v.DB.Name(id))
		}
	}
	return nil
}

// OpenDatabase opens the copy of the database with this content. The error wraps
// [ErrCorrupt] if there is none.
func (d *Dir) OpenDatabase(content db.Digest) (*db.DB, error) {
	base, err := db.OpenLive(d.DatabasePath(content))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return base, err
}

// DB opens the current database. The caller closes it.
func (d *Dir) DB() (*db.DB, error) { return db.OpenLive(d.file("compiled")) }

// View opens the database that a state belongs to, with its slots. The caller
// closes the database. The error wraps [ErrCorrupt] if the two do not fit.
func (d *Dir) View(content db.Digest, t journal.Table) (View, error) {
	database, err := d.OpenDatabase(content)
	if err != nil {
		return View{}, err
	}
	v := View{DB: database, Table: t}
	if err := v.check(); err != nil {
		_ = database.Close()
		return View{}, err
	}
	return v, nil
}
