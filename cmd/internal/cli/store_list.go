package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/update/generation"
)

// storeFormat is the version of what rc-store prints as JSON.
const storeFormat = "strata-store/1"

type storeJSON struct {
	Format      string           `json:"format"`
	Store       text             `json:"store"`
	Link        text             `json:"link"` // what current leads to
	Current     *db.Digest       `json:"current"`
	Generations []generationJSON `json:"generations"`
}

type generationJSON struct {
	Content   db.Digest  `json:"content"`
	Path      text       `json:"path"`
	Installed *time.Time `json:"installed"`
	Back      *int       `json:"back"` // for --rollback
	Current   bool       `json:"current"`
	InUse     bool       `json:"in_use"`
	Undone    bool       `json:"undone"`
	Problem   text       `json:"problem,omitempty"`
}

func newStoreListCommand(s ui.Streams, o *storeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the generations",
		Long: `List the generations: how many steps each is before the current one, its digest, when it
became current, and what is to be said of it. Times are those that were recorded.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return updateError(o.list(s)) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "print JSON, format "+storeFormat)
	return c
}

func (o *storeOptions) list(s ui.Streams) error {
	store := generation.Store{Path: o.path}
	st, err := store.Read()
	if err != nil {
		return err
	}
	used, err := generation.Uses(o.live)
	if err != nil {
		s.Warnf("cannot say what is in use: %s", ui.ErrorText(err))
	}
	rows := st.Rows(used)
	problems := make([]string, len(rows))
	for i, r := range rows {
		problems[i] = problemOf(store, r)
	}
	if o.json {
		return s.JSON(storeReport(store, st, rows, problems))
	}
	return output(s, func(w *bufio.Writer) error {
		printStore(w, st, rows, problems)
		return nil
	})
}

// problemOf says what is wrong with a generation's file.
func problemOf(store generation.Store, r generation.Row) string {
	if r.Missing {
		return "missing"
	}
	d, err := store.Open(r.Content)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "" // private, and not ours
	case err != nil:
		return err.Error()
	}
	_ = d.Close() // only a map is given back
	return ""
}

func storeReport(store generation.Store, st *generation.State, rows []generation.Row, problems []string) storeJSON {
	out := storeJSON{Format: storeFormat, Store: text(store.Path), Link: text(st.Link), Generations: []generationJSON{}}
	if !st.Current.IsZero() {
		out.Current = &st.Current
	}
	for i, r := range rows {
		g := generationJSON{
			Content: r.Content, Path: text(store.File(r.Content)),
			Current: r.Current, InUse: r.InUse, Undone: r.Undone, Problem: text(problems[i]),
		}
		if !r.Installed.IsZero() {
			g.Installed = &r.Installed
		}
		if r.Back >= 0 {
			g.Back = &r.Back
		}
		out.Generations = append(out.Generations, g)
	}
	return out
}

// printStore writes a table; what has no place in it has a dash.
func printStore(w *bufio.Writer, st *generation.State, rows []generation.Row, problems []string) {
	switch {
	case st.Link == "":
		_, _ = fmt.Fprintln(w, "no generation is current")
	case st.Current.IsZero():
		_, _ = fmt.Fprintf(w, "current leads to %s, which is no generation\n", ui.Escape(st.Link))
	}
	for i, r := range rows {
		back, installed := "-", "-"
		if r.Back >= 0 {
			back = strconv.Itoa(r.Back)
		}
		if !r.Installed.IsZero() {
			installed = r.Installed.UTC().Format(time.RFC3339)
		}
		var notes []string
		for _, n := range []struct {
			on   bool
			text string
		}{{r.Current, "current"}, {r.InUse, "in use"}, {r.Undone, "undone"}, {problems[i] != "", ui.Escape(problems[i])}} {
			if n.on {
				notes = append(notes, n.text)
			}
		}
		line := fmt.Sprintf("%3s  %s  %-20s  %s", back, r.Content.Short(), installed, strings.Join(notes, ", "))
		_, _ = fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
