package servicedir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"strata/compile/db"
)

// Style says for whom a service is rendered.
type Style uint8

// The styles.
const (
	// S6RC is the directory that s6-rc's compiler makes of a longrun. Of a oneshot
	// it makes none, and the tree is empty.
	S6RC Style = iota
	// Live is a definition in a live directory: without lock-fd, which keeps a
	// service from starting on s6 2.11 and protects nothing on 2.15.
	Live
	// LivePrivate is Live of a database that not everyone may read: what is not
	// given its mode by the source can be read by the owner alone.
	LivePrivate
)

// Pipes are the pipes of a longrun in a pipeline.
type Pipes struct {
	// Read is the fd-holder's identifier for its standard input, empty if nobody
	// feeds it; Write that for its standard output, empty if it feeds nobody.
	Read, Write string
	// Socket is the path of the holder's socket as seen from the service directory.
	Socket string
}

// none reports whether there is no pipe.
func (p Pipes) none() bool { return p.Read == "" && p.Write == "" }

// LinkNames are the names that the definition of a longrun can have at its top,
// except those that cannot be links in a live directory (template). A live service
// directory has a link for each, dangling or not.
func LinkNames() []string {
	return []string{
		"data", "down-signal", "env", "finish", "finish.user", "flag-newpidns", "flag-timeout-killpg",
		"max-death-tally", "notification-fd", "reload-signal", "run", "run-before", "run.set-up", "run.user",
		"timeout-finish", "timeout-kill",
	}
}

// Render gives the files of a service. blob gives file contents by digest.
//
// For a longrun they are those of its service directory; for a oneshot, in the
// styles for a live directory, those of its definition (see [Command]).
func Render(svc *db.Service, p Pipes, blob func(db.Digest) ([]byte, error), style Style) (Tree, error) {
	r := renderer{svc: svc, pipes: p, blob: blob, style: style}
	var err error
	switch {
	case svc.Type == db.Oneshot && style == S6RC:
		return nil, nil
	case svc.Type == db.Oneshot:
		err = r.oneshot()
	default:
		err = r.longrun()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot render service %s: %w", svc.Name, err)
	}
	slices.SortFunc(r.tree, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return r.tree, nil
}

// renderer is one call of Render.
type renderer struct {
	svc   *db.Service
	pipes Pipes
	blob  func(db.Digest) ([]byte, error)
	style Style
	tree  Tree
}

func (r *renderer) longrun() error {
	s := r.svc
	if err := r.program("run", s.Run, s.Exec); err != nil {
		return err
	}
	if s.Finish.Form != db.NoProgram {
		if err := r.program("finish", s.Finish, db.Exec{}); err != nil {
			return err
		}
	}
	lockFD := s.LockFD
	if r.style != S6RC {
		lockFD = db.Uint{}
	}
	for _, n := range []struct {
		name string
		u    db.Uint
	}{
		{"notification-fd", s.NotificationFD},
		{"lock-fd", lockFD},
		{"timeout-kill", s.TimeoutKill},
		{"timeout-finish", s.TimeoutFinish},
		{"max-death-tally", s.MaxDeathTally},
	} {
		if n.u.Set {
			r.add(n.name, 0o644, []byte(strconv.FormatUint(uint64(n.u.Value), 10)+"\n"), false)
		}
	}
	for _, n := range []struct {
		name    string
		content []byte
	}{{"down-signal", s.DownSignal}, {"reload-signal", s.ReloadSignal}} {
		if n.content != nil {
			r.add(n.name, 0o644, n.content, false)
		}
	}
	for _, n := range []struct {
		name string
		set  bool
	}{{"flag-timeout-killpg", s.TimeoutKillPG}, {"flag-newpidns", s.NewPIDNS}} {
		if n.set {
			r.add(n.name, 0o644, nil, false)
		}
	}
	return r.files()
}

// program adds a longrun's run or finish, behind its pipes if it has any.
func (r *renderer) program(name string, p db.Program, x db.Exec) error {
	first, user := name, name+".user"
	if !r.pipes.none() {
		next := user
		if p.Form != db.Script || hasSetUp(x) {
			next = name + ".set-up"
			if name == "finish" {
				next = user
			}
		}
		r.script(first, pipeScript(r.pipes, "./"+next, r.fds()))
		first = next
	}
	return r.stage(first, user, p, x, name == "run")
}

// stage adds the file first, which runs the program: the script itself if there
// is nothing to set up, else a script that sets up and runs it.
func (r *renderer) stage(first, user string, p db.Program, x db.Exec, envdir bool) error {
	if p.Form == db.Script && !hasSetUp(x) {
		return r.userScript(first, p.Script, r.mode(0o755))
	}
	s := setUp{exec: x, envdir: envdir && r.hasFile("env"), stderrToLog: p.Form == db.Argv && r.pipes.Write != ""}
	switch p.Form {
	case db.Script:
		s.script = user
		mode := r.mode(0o755)
		if x.User != "" {
			mode = 0o755 // that user has to read it
		}
		if err := r.userScript(user, p.Script, mode); err != nil {
			return err
		}
	case db.Argv:
		s.argv = p.Argv
	default:
		return fmt.Errorf("it has no program %s", first)
	}
	if x.RunBefore.Form == db.Script {
		if err := r.userScript("run-before", x.RunBefore.Script, 0o755); err != nil {
			return err
		}
	}
	text, err := s.text()
	if err != nil {
		return err
	}
	r.script(first, text)
	return nil
}

// files adds data, env and template.
func (r *renderer) files() error {
	for _, e := range r.svc.Files {
		f := File{Path: e.Path, Kind: e.Kind, Mode: e.Mode, Owner: e.Owner, Target: e.Target}
		if e.Kind == db.File {
			content, err := r.blob(e.Blob)
			if err != nil {
				return err
			}
			f.Content = content
		}
		r.tree = append(r.tree, f)
	}
	if r.hasFile("template") {
		for _, name := range []string{"instance", "instances"} {
			r.tree = append(r.tree, File{Path: name, Kind: db.Directory, Mode: 0o755, Generated: true})
		}
	}
	return nil
}

func (r *renderer) hasFile(path string) bool {
	return slices.ContainsFunc(r.svc.Files, func(e db.Entry) bool { return e.Path == path })
}

func (r *renderer) userScript(name string, d db.Digest, mode uint32) error {
	content, err := r.blob(d)
	if err != nil {
		return err
	}
	r.tree = append(r.tree, File{Path: name, Kind: db.File, Mode: mode, Content: content})
	return nil
}

// script adds a generated program.
func (r *renderer) script(name, text string) {
	r.add(name, 0o755, []byte(text), true)
}

// mode is the mode of what the source gives none to.
func (r *renderer) mode(usual uint32) uint32 {
	if r.style == LivePrivate {
		return usual &^ 0o077
	}
	return usual
}

func (r *renderer) add(name string, mode uint32, content []byte, generated bool) {
	r.tree = append(r.tree, File{Path: name, Kind: db.File, Mode: r.mode(mode), Content: content, Generated: generated})
}

// fds are the descriptors that the program is given by number.
func (r *renderer) fds() []uint32 {
	var fds []uint32
	for _, u := range []db.Uint{r.svc.NotificationFD, r.svc.LockFD} {
		if u.Set {
			fds = append(fds, u.Value)
		}
	}
	return fds
}
