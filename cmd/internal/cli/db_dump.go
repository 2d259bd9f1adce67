package cli

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
)

// dumpJSON is a whole database.
type dumpJSON struct {
	Format   string             `json:"format"`
	Database databaseJSON       `json:"database"`
	Services []serviceJSON      `json:"services"`
	Bundles  []bundleJSON       `json:"bundles"`
	Levels   [][]text           `json:"levels"`
	Contents map[db.Digest]text `json:"contents"`
}

type serviceJSON struct {
	Name        text         `json:"name"`
	Type        string       `json:"type"`
	Description text         `json:"description"`
	Definition  db.Digest    `json:"definition"`
	Level       int          `json:"level"`
	Needs       []text       `json:"needs"`
	Wants       []text       `json:"wants"`
	After       []text       `json:"after"`
	Flags       []string     `json:"flags"`
	FlagBits    db.Flags     `json:"flag_bits"`
	Manual      bool         `json:"manual"`
	TimeoutUp   db.Millis    `json:"timeout_up"`
	TimeoutDown db.Millis    `json:"timeout_down"`
	Up          *programJSON `json:"up,omitempty"`
	Down        *programJSON `json:"down,omitempty"`
	Reload      *programJSON `json:"reload,omitempty"`
	TTY         text         `json:"tty,omitempty"`

	Run            *programJSON `json:"run,omitempty"`
	Finish         *programJSON `json:"finish,omitempty"`
	NotificationFD *uint32      `json:"notification_fd,omitempty"`
	LockFD         *uint32      `json:"lock_fd,omitempty"`
	TimeoutKill    *uint32      `json:"timeout_kill,omitempty"`
	TimeoutFinish  *uint32      `json:"timeout_finish,omitempty"`
	MaxDeathTally  *uint32      `json:"max_death_tally,omitempty"`
	DownSignal     *text        `json:"down_signal,omitempty"`
	ReloadSignal   *text        `json:"reload_signal,omitempty"`
	TimeoutKillPG  bool         `json:"timeout_killpg,omitempty"`
	NewPIDNS       bool         `json:"newpidns,omitempty"`

	User             text         `json:"user,omitempty"`
	Env              []variable   `json:"env,omitempty"`
	Umask            string       `json:"umask,omitempty"`
	Workdir          text         `json:"workdir,omitempty"`
	Limits           []limitJSON  `json:"limits,omitempty"`
	RunBefore        *programJSON `json:"run_before,omitempty"`
	RunBeforeTimeout db.Millis    `json:"run_before_timeout,omitempty"`
	Files            []fileJSON   `json:"files,omitempty"`
	Consumer         *text        `json:"consumer,omitempty"`
	Producers        []text       `json:"producers,omitempty"`
	Provides         []text       `json:"provides,omitempty"`
	RenamedFrom      []text       `json:"renamed_from,omitempty"`
	OnChange         string       `json:"on_change,omitempty"`
	Origin           originJSON   `json:"origin"`
}

type variable struct {
	Name  text `json:"name"`
	Value text `json:"value"`
}

type limitJSON struct {
	Name  text   `json:"name"`
	Value uint64 `json:"value"`
}

// fileJSON is a file below data, env or template; content is a digest.
type fileJSON struct {
	Path    text       `json:"path"`
	Kind    string     `json:"kind"`
	Mode    string     `json:"mode"`
	Owner   *ownerJSON `json:"owner,omitempty"`
	Content *db.Digest `json:"content,omitempty"`
	Target  *text      `json:"target,omitempty"`
}

type ownerJSON struct {
	UID uint32 `json:"uid"`
	GID uint32 `json:"gid"`
}

type bundleJSON struct {
	Name        text       `json:"name"`
	Description text       `json:"description"`
	Contents    []text     `json:"contents"`
	Pipeline    bool       `json:"pipeline"`
	Provided    bool       `json:"provided"`
	Origin      originJSON `json:"origin"`
}

func newDBDumpCommand(s ui.Streams, o *dbOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "dump",
		Short: "Print everything; with --json file contents too",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return o.use(func(d *db.DB) error {
				m, err := d.Load()
				if err != nil {
					return err
				}
				if !o.json {
					return output(s, func(w *bufio.Writer) error { dumpText(w, d, m); return nil })
				}
				dump, err := newDumpJSON(d, m)
				if err != nil {
					return err
				}
				return s.JSON(dump)
			})
		},
	}
}

func newDumpJSON(d *db.DB, m *db.Model) (*dumpJSON, error) {
	out := &dumpJSON{
		Format: dbFormat, Database: newDatabaseJSON(d), Services: make([]serviceJSON, d.Len()), Bundles: []bundleJSON{},
		Levels: [][]text{}, Contents: map[db.Digest]text{},
	}
	for i := range m.Services {
		if err := out.Services[i].fill(d, db.ServiceID(i), &m.Services[i]); err != nil {
			return nil, err
		}
	}
	for _, b := range m.Bundles {
		out.Bundles = append(out.Bundles, bundleJSON{text(b.Name), text(b.Description), texts(d.Names(b.Contents, false)), b.Pipeline, b.Provided, newOriginJSON(b.Origin)})
	}
	for k := range m.Levels.Count() {
		out.Levels = append(out.Levels, texts(d.Names(m.Levels.At(k), false)))
	}
	for digest, b := range m.Blobs {
		out.Contents[digest] = text(b)
	}
	return out, nil
}

func (j *serviceJSON) fill(d *db.DB, id db.ServiceID, s *db.Service) error {
	names := func(list []db.ServiceID) []text { return texts(d.Names(list, false)) }
	*j = serviceJSON{
		Name: text(s.Name), Type: s.Type.String(), Description: text(s.Description), Definition: d.Definition(id), Level: d.Levels().Of(id),
		Needs: names(d.Needs().Out(id)), Wants: names(d.Wants().Out(id)), After: names(d.Soft().Out(id)),
		Flags: flagNames(s.Flags), FlagBits: s.Flags, Manual: s.Manual, TimeoutUp: s.TimeoutUp, TimeoutDown: s.TimeoutDown, TTY: text(s.TTY),
		NotificationFD: number(s.NotificationFD), LockFD: number(s.LockFD), TimeoutKill: number(s.TimeoutKill),
		TimeoutFinish: number(s.TimeoutFinish), MaxDeathTally: number(s.MaxDeathTally),
		DownSignal: content(s.DownSignal), ReloadSignal: content(s.ReloadSignal), TimeoutKillPG: s.TimeoutKillPG, NewPIDNS: s.NewPIDNS,
		User: text(s.Exec.User), Workdir: text(s.Exec.Workdir), RunBeforeTimeout: s.Exec.RunBeforeTimeout,
		Producers: names(s.Producers), Provides: texts(s.Provides), RenamedFrom: texts(s.RenamedFrom),
		OnChange: onChangeNames[s.OnChange], Origin: newOriginJSON(s.Origin),
	}
	if s.Exec.Umask.Set {
		j.Umask = fmt.Sprintf("%04o", s.Exec.Umask.Value)
	}
	if s.Consumer != db.None {
		name := text(d.Name(s.Consumer))
		j.Consumer = &name
	}
	for _, v := range s.Exec.Env {
		j.Env = append(j.Env, variable{text(v.Name), text(v.Value)})
	}
	for _, l := range s.Exec.Limits {
		j.Limits = append(j.Limits, limitJSON{text(l.Name), l.Value})
	}
	for _, e := range s.Files {
		j.Files = append(j.Files, newFileJSON(e))
	}
	for to, p := range map[**programJSON]db.Program{&j.Up: s.Up, &j.Down: s.Down, &j.Reload: s.Reload, &j.Run: s.Run, &j.Finish: s.Finish, &j.RunBefore: s.Exec.RunBefore} {
		var err error
		if *to, err = newProgramJSON(d, p); err != nil {
			return err
		}
	}
	return nil
}

func newFileJSON(e db.Entry) fileJSON {
	j := fileJSON{Path: text(e.Path), Kind: entryKindNames[e.Kind], Mode: fmt.Sprintf("%04o", e.Mode)}
	if e.Owner.Other {
		j.Owner = &ownerJSON{e.Owner.UID, e.Owner.GID}
	}
	switch e.Kind {
	case db.File:
		j.Content = &e.Blob
	case db.Link:
		target := text(e.Target)
		j.Target = &target
	}
	return j
}

// dumpText writes a stanza for each service and bundle, without file contents.
func dumpText(w *bufio.Writer, d *db.DB, m *db.Model) {
	line := func(key string, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(w, "  %-12s %s\n", key, ui.Escape(value))
		}
	}
	names := func(list []db.ServiceID) string { return strings.Join(d.Names(list, false), " ") }
	for i := range m.Services {
		s, id := &m.Services[i], db.ServiceID(i)
		_, _ = fmt.Fprintf(w, "%s %s\n", s.Type, ui.Escape(s.Name))
		line("description", s.Description)
		line("level", strconv.Itoa(d.Levels().Of(id)))
		line("needs", names(d.Needs().Out(id)))
		line("after", names(d.Soft().Out(id)))
		line("flags", strings.Join(flagNames(s.Flags), " "))
		line("timeouts", fmt.Sprintf("up %d ms, down %d ms", s.TimeoutUp, s.TimeoutDown))
		line("from", place(s.Origin))
		line("definition", d.Definition(id).Short())
	}
	for _, b := range m.Bundles {
		_, _ = fmt.Fprintf(w, "bundle %s\n", ui.Escape(b.Name))
		line("description", b.Description)
		line("contents", names(b.Contents))
		line("from", place(b.Origin))
	}
}

// place is SOURCE:PATH:LINE.
func place(o db.Origin) string {
	if o.Line == 0 {
		return o.Label + ":" + o.Path
	}
	return fmt.Sprintf("%s:%s:%d", o.Label, o.Path, o.Line)
}
