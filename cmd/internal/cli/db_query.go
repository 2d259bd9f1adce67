package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
)

// dbAnswer is what a query found: as a document, and as lines of text.
type dbAnswer struct {
	json  any
	lines []string
}

// dbQuery is a sub-command of rc-db that asks one question.
type dbQuery struct {
	use, short string
	args       cobra.PositionalArgs
	ask        func(o *dbOptions, d *db.DB, args []string) (dbAnswer, error)
}

func dbQueries(s ui.Streams, o *dbOptions) []*cobra.Command {
	var out []*cobra.Command
	for _, q := range []dbQuery{
		{"check", "Check everything in the database", cobra.NoArgs, dbCheck},
		{"list all|services|oneshots|longruns|bundles", "List names", cobra.ExactArgs(1), dbList},
		{"type NAME", "Print oneshot, longrun or bundle", cobra.ExactArgs(1), dbType},
		{"dependencies NAME...", "Print what services need directly; with -d what needs them", cobra.MinimumNArgs(1), dbDependencies},
		{"all-dependencies NAME...", "Print services and all they need, directly or not; with -d all that needs them", cobra.MinimumNArgs(1), dbAllDependencies},
		{"atomics NAME...", "Print the atomic services that names stand for", cobra.MinimumNArgs(1), dbAtomics},
		{"contents BUNDLE", "Print what a bundle stands for", cobra.ExactArgs(1), dbContents},
		{"pipeline LONGRUN", "Print the pipeline a longrun is in, as PRODUCER/CONSUMER", cobra.ExactArgs(1), dbPipeline},
		{"script ONESHOT", "Print the up program, a word a line, or the script; with -d the down program", cobra.ExactArgs(1), dbScript},
		{"timeout SERVICE", "Print the timeout in milliseconds, 0 for none; with -d that for stopping", cobra.ExactArgs(1), dbTimeout},
		{"flags SERVICE", "Print the flags as 8 hexadecimal digits", cobra.ExactArgs(1), dbFlags},
		{"levels", "Print the services that can start together, a level a line", cobra.NoArgs, dbLevels},
	} {
		out = append(out, &cobra.Command{
			Use: q.use, Short: q.short, Args: usageArgs(q.args),
			RunE: func(_ *cobra.Command, args []string) error {
				return o.use(func(d *db.DB) error {
					a, err := q.ask(o, d, args)
					if err != nil {
						return err
					}
					if o.json {
						return s.JSON(a.json)
					}
					return printLines(s, a.lines)
				})
			},
		})
	}
	return out
}

// namesAnswer is an answer that is a set of services.
func namesAnswer(names []string) dbAnswer {
	return dbAnswer{struct {
		Format   string `json:"format"`
		Services []text `json:"services"`
	}{dbFormat, texts(names)}, names}
}

func dbCheck(_ *dbOptions, d *db.DB, _ []string) (dbAnswer, error) {
	if err := d.Check(); err != nil {
		return dbAnswer{}, err
	}
	return dbAnswer{json: struct {
		Format   string       `json:"format"`
		Valid    bool         `json:"valid"`
		Database databaseJSON `json:"database"`
	}{dbFormat, true, newDatabaseJSON(d)}}, nil
}

// selections are the words that list takes.
var selections = map[string]db.Selection{
	"all": db.AllNames, "services": db.AllServices, "oneshots": db.AllOneshots, "longruns": db.AllLongruns, "bundles": db.AllBundles,
}

func dbList(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	what, ok := selections[args[0]]
	if !ok {
		return dbAnswer{}, usagef("cannot list %s: it is none of all, services, oneshots, longruns, bundles", args[0])
	}
	names := d.List(what, o.without)
	return dbAnswer{struct {
		Format string `json:"format"`
		Names  []text `json:"names"`
	}{dbFormat, texts(names)}, names}, nil
}

// typeOf is the type of whatever a name stands for.
func typeOf(d *db.DB, name string) (string, error) {
	ref, err := d.Find(name)
	if err != nil || ref.Kind == db.BundleRef {
		return "bundle", err
	}
	return d.Type(ref.Service).String(), nil
}

func dbType(_ *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	kind, err := typeOf(d, args[0])
	return dbAnswer{struct {
		Format string `json:"format"`
		Name   text   `json:"name"`
		Type   string `json:"type"`
	}{dbFormat, text(args[0]), kind}, []string{kind}}, err
}

func dbDependencies(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	of, err := d.Atomics(args...)
	return namesAnswer(d.Names(db.Dependencies(d.Needs(), of, o.direction()), o.without)), err
}

func dbAllDependencies(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	of, err := d.Atomics(args...)
	return namesAnswer(d.Names(db.AllDependencies(d.Needs(), of, o.direction()), o.without)), err
}

func dbAtomics(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	of, err := d.Atomics(args...)
	return namesAnswer(d.Names(of, o.without)), err
}

func dbContents(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	b, err := d.FindBundle(args[0])
	if err != nil {
		return dbAnswer{}, err
	}
	return namesAnswer(d.Names(d.Contents(b), o.without)), nil
}

func dbPipeline(_ *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	id, err := d.FindType(args[0], db.Longrun)
	if err != nil {
		return dbAnswer{}, err
	}
	pipes, err := d.Pipeline(id)
	type pipe struct {
		Producer text `json:"producer"`
		Consumer text `json:"consumer"`
	}
	list, lines := make([]pipe, len(pipes)), make([]string, len(pipes))
	for i, p := range pipes {
		list[i] = pipe{text(d.Name(p.Producer)), text(d.Name(p.Consumer))}
		lines[i] = d.Name(p.Producer) + "/" + d.Name(p.Consumer)
	}
	return dbAnswer{struct {
		Format string `json:"format"`
		Pipes  []pipe `json:"pipes"`
	}{dbFormat, list}, lines}, err
}

// program is the up program of a oneshot, or with -d its down program.
func (o *dbOptions) program(d *db.DB, oneshot string) (db.Program, error) {
	id, err := d.FindType(oneshot, db.Oneshot)
	if err != nil {
		return db.Program{}, err
	}
	svc, err := d.Service(id)
	if err != nil {
		return db.Program{}, err
	}
	if o.down {
		return svc.Down, nil
	}
	return svc.Up, nil
}

func dbScript(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	p, err := o.program(d, args[0])
	if err != nil {
		return dbAnswer{}, err
	}
	program, err := newProgramJSON(d, p)
	lines := p.Argv
	if p.Form == db.Script && err == nil {
		lines = strings.Split(strings.TrimSuffix(string(*program.Script), "\n"), "\n")
	}
	return dbAnswer{struct {
		Format  string       `json:"format"`
		Name    text         `json:"name"`
		Phase   string       `json:"phase"`
		Program *programJSON `json:"program"`
	}{dbFormat, text(args[0]), o.phase(), program}, lines}, err
}

func dbTimeout(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	id, err := d.FindAtomic(args[0])
	if err != nil {
		return dbAnswer{}, err
	}
	limit := d.TimeoutUp(id)
	if o.down {
		limit = d.TimeoutDown(id)
	}
	return dbAnswer{struct {
		Format       string    `json:"format"`
		Name         text      `json:"name"`
		Phase        string    `json:"phase"`
		Milliseconds db.Millis `json:"milliseconds"`
	}{dbFormat, text(args[0]), o.phase(), limit}, []string{strconv.FormatUint(uint64(limit), 10)}}, nil
}

func dbFlags(_ *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	id, err := d.FindAtomic(args[0])
	if err != nil {
		return dbAnswer{}, err
	}
	flags := d.Flags(id)
	return dbAnswer{struct {
		Format string   `json:"format"`
		Name   text     `json:"name"`
		Flags  []string `json:"flags"`
		Bits   db.Flags `json:"bits"`
	}{dbFormat, text(args[0]), flagNames(flags), flags}, []string{fmt.Sprintf("%08x", uint32(flags))}}, nil
}

func dbLevels(o *dbOptions, d *db.DB, _ []string) (dbAnswer, error) {
	levels := make([][]text, d.Levels().Count())
	lines := make([]string, len(levels))
	for k := range levels {
		names := d.Names(d.Levels().At(k), o.without)
		levels[k] = texts(names)
		lines[k] = strings.Join(names, " ")
	}
	return dbAnswer{struct {
		Format string   `json:"format"`
		Levels [][]text `json:"levels"`
	}{dbFormat, levels}, lines}, nil
}
