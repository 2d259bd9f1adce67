package compile

import (
	"context"
	"slices"

	"strata/compile/db"
	"strata/compile/source"
	"strata/internal/diag"
)

// Options say how definitions are compiled.
type Options struct {
	// S6RC keeps s6-rc's rules where ours are wider: a name defined in two
	// sources is an error rather than an override.
	S6RC bool
	// Strict adds warnings that are off by default: soft dependencies on names
	// that do not exist.
	Strict bool
	// Jobs limits how many definitions are read at once; 0 means one per CPU.
	Jobs int
}

// codePrivate warns that the database will be readable by its owner only.
const codePrivate diag.Code = "private"

// Run reads the sources and compiles what they hold.
func Run(ctx context.Context, dirs []source.Dir, o Options) (*db.Model, diag.List) {
	set, list := source.Read(ctx, dirs, source.Options{S6RC: o.S6RC, Jobs: o.Jobs})
	if set == nil {
		return nil, list
	}
	model, more := Compile(set, o)
	addExcerpts(more)
	list = append(list, more...)
	list.Sort()
	if list.HasErrors() {
		// Who may read a database that is not made is no news.
		return nil, slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Code == codePrivate })
	}
	return model, list
}

// Compile resolves, checks and orders the definitions of a set. The model is nil
// if the list holds an error.
func Compile(set *source.Set, o Options) (*db.Model, diag.List) {
	c := &compiler{options: o, set: set}
	c.collect()
	c.linkPipelines()
	c.namePipelines()
	c.number()
	c.claimProvided()
	c.resolveBundles()
	c.resolveEdges()
	c.checkRenames()
	c.checkNames()
	c.checkSafety()
	// Also after a mistake, to find the cycles among what could be resolved.
	model := c.build()
	c.list.Sort()
	if c.list.HasErrors() {
		return nil, c.list
	}
	return model, c.list
}

// compiler is the state of one compilation. The methods that fill it run in the
// order in which Compile calls them.
type compiler struct {
	options Options
	set     *source.Set
	list    diag.List

	// defs are the definitions that count, by name; filled by collect.
	defs map[string]*source.Definition
	// feeds and fedBy are the pipelines: the one consumer of a producer, and
	// the producers of a consumer, in order of declaration.
	feeds map[*source.Definition]*source.Definition
	fedBy map[*source.Definition][]*source.Definition

	// atoms are the atomic services in the byte order of their names, so that
	// an index is a ServiceID; ids is the inverse.
	atoms []*source.Definition
	ids   map[string]db.ServiceID
	// bundles are the bundles by name, those of pipelines among them.
	bundles map[string]*bundle
	// provided are the names that a service provides, with the provider.
	provided map[string]db.ServiceID

	needs, wants, soft edgeList
}

// resolve returns the atomic services that a name stands for, and whether it
// stands for anything.
func (c *compiler) resolve(name string) ([]db.ServiceID, bool) {
	if id, ok := c.ids[name]; ok {
		return []db.ServiceID{id}, true
	}
	if b, ok := c.bundles[name]; ok {
		return b.contents, true
	}
	if id, ok := c.provided[name]; ok {
		return []db.ServiceID{id}, true
	}
	return nil, false
}
