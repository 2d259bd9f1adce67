package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"strata/compile/db"
	"strata/live"
	"strata/live/s6"
)

// picture is all that there is of a live directory, a line each, with names for slots
// and without digests: two that are the same differ in nothing that matters.
type picture []string

// takePicture describes the live directory, its scandir, and what is up.
func (m *machine) takePicture() picture {
	m.t.Helper()
	st := m.state()
	v, err := m.dir.View(st.Content, st.Table)
	if err != nil {
		m.t.Fatal(err)
	}
	defer v.DB.Close()
	l := newLegend(v)
	var p picture
	for _, s := range st.Services {
		p = append(p, fmt.Sprintf("service %s: %v, up %t, wanted %t, unknown %t, under way %q, starting %t, stopping %t, other than noted %t",
			s.Name, s.Type, s.Up, s.Wanted, s.Unknown, s.Pending, s.Starting, s.Stopping(), s.Observed))
	}
	if st.Patch != nil {
		p = append(p, "a patch is under way")
	}
	p = append(p, m.walk(l, m.dir.Real())...)
	entries, err := os.ReadDir(m.dir.Scandir())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, e := range entries {
		if name, ours := strings.CutPrefix(e.Name(), m.dir.Prefix()); ours && e.Name() != ".s6-svscan" {
			target, _ := os.Readlink(filepath.Join(m.dir.Scandir(), e.Name()))
			p = append(p, "scandir "+name+" -> "+l.path(strings.TrimPrefix(target, m.dir.Real()+"/")))
		}
	}
	for _, in := range live.Internals() {
		p = append(p, m.marked(in))
	}
	slices.Sort(p)
	return p
}

// marked says whether the supervisor of an internal service would do the right thing if
// it was started again.
func (m *machine) marked(in live.Internal) string {
	m.t.Helper()
	dir := m.dir.Servicedir(in.Slot)
	st, err := s6.ReadStatus(dir)
	if err != nil {
		m.t.Fatal(err)
	}
	down, err := s6.MarkedDown(dir)
	if err != nil {
		m.t.Fatal(err)
	}
	return fmt.Sprintf("%s: marked as it is: %t", in.Name, down != st.WantUp)
}

// walk lists files.
func (m *machine) walk(l legend, real string) (p picture) {
	m.t.Helper()
	err := filepath.WalkDir(real, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(real, path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		line := info.Mode().String() + " " + l.path(rel)
		if target, err := os.Readlink(path); err == nil {
			line += " -> " + l.path(strings.TrimPrefix(target, "../"))
		}
		switch {
		case rel == "supervisors": // there if somebody had the time
		case l.internal(rel): // they are started when they are needed
		case strings.HasPrefix(rel, "sv/") && e.Name() == "supervise":
			return fs.SkipDir // s6's
		default:
			p = append(p, line)
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return p
}

// legend gives what is named by slots and digests the names of services.
type legend struct {
	names map[string]string // by slot
	defs  map[string]bool   // definitions that count
	db    string
}

func newLegend(v live.View) legend {
	l := legend{map[string]string{}, map[string]bool{}, v.DB.Content().String()}
	for _, in := range live.Internals() {
		l.names[fmt.Sprint(in.Slot)] = in.Name
	}
	for i, e := range v.Table {
		l.names[fmt.Sprint(e.Slot)] = e.Name
		l.defs[v.Definition(db.ServiceID(i)).String()] = true
	}
	return l
}

// internal says of a path that it is one of those that internal services come and go
// with, and nothing that was forgotten there.
func (l legend) internal(path string) bool {
	parts := strings.Split(path, "/")
	const depth = 3 // sv/SLOT/NAME
	if len(parts) < depth || parts[0] != "sv" || parts[2] == "event" || strings.HasPrefix(parts[2], ".") {
		return false
	}
	return strings.HasPrefix(l.names[parts[1]], "s6rc-")
}

// path gives a path, or the target of a link, with names.
func (l legend) path(path string) string {
	const digest = 64 // digits of one
	parts := strings.Split(path, "/")
	for i, part := range parts {
		suffix := filepath.Ext(part)
		stem := strings.TrimSuffix(part, suffix)
		switch {
		case l.defs[part]:
			parts[i] = "DEFINITION"
		case len(stem) == digest && stem == l.db:
			parts[i] = "DATABASE" + suffix
		case len(stem) == digest:
			parts[i] = "ANOTHER" + suffix
		case strings.HasPrefix(part, "pipe:["):
			parts[i] = "pipe"
		case l.names[part] != "" && i > 0:
			parts[i] = l.names[part]
		}
	}
	return strings.Join(parts, "/")
}

// without gives the lines of a picture that another one has not as often.
func (p picture) without(other picture) (rest picture) {
	left := map[string]int{}
	for _, line := range other {
		left[line]++
	}
	for _, line := range p {
		if left[line]--; left[line] < 0 {
			rest = append(rest, line)
		}
	}
	return rest
}
