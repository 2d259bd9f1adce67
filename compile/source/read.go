package source

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/diag"
	"strata/internal/writable"
)

// Read reads all definitions of all sources, several at once. The result does not
// depend on how many, nor on the order in which the system lists files:
// definitions are in the order of the sources, within a source in the byte order
// of their names, a directory before a TOML file of the same name.
//
// A name defined twice is in the result twice. The list holds everything that was
// found, unsorted; if it has errors, the set holds what could be read, which is
// enough to look for further mistakes.
func Read(ctx context.Context, dirs []Dir, o Options) (*Set, diag.List) {
	set := &Set{Dirs: slices.Clone(dirs), Blobs: db.Blobs{}}
	var diags diag.List
	var items []item
	var sources []*sourceDir
	defer func() {
		for _, s := range sources {
			unix.Close(s.fd)
		}
	}()
	for i, d := range dirs {
		before := len(diags)
		s, found := openSource(i, d, o, &diags)
		if s == nil {
			continue
		}
		sources = append(sources, s)
		items = append(items, found...)
		if len(found) == 0 && !diags[before:].HasErrors() {
			diags.Warnf("source-empty", diag.Position{File: d.Path}, "source %s is empty", d.Path)
		}
	}
	results := readAll(ctx, items, &blobStore{blobs: set.Blobs}, o)
	if err := ctx.Err(); err != nil {
		diags.Add(diag.Diagnostic{Code: "interrupted", Message: fmt.Sprintf("cannot read the sources: %v", err), System: true})
		return set, diags
	}
	set.Definitions = make([]*Definition, 0, len(items))
	firstUnreadable := make(map[*sourceDir]string)
	for i, res := range results {
		diags = append(diags, res.diags...)
		set.addWritable(res.writable)
		if res.def != nil {
			set.Definitions = append(set.Definitions, res.def)
		} else {
			set.Broken = append(set.Broken, items[i].name)
		}
		if s := items[i].src; firstUnreadable[s] == "" {
			firstUnreadable[s] = res.unreadable
		}
	}
	for _, s := range sources {
		set.addWritable(s.writable)
		if set.Unreadable == "" && len(items) > 0 {
			set.Unreadable = s.unreadable
		}
		if set.Unreadable == "" {
			set.Unreadable = firstUnreadable[s]
		}
	}
	slices.Sort(set.Broken)
	set.Broken = slices.Compact(set.Broken)
	return set, diags
}

// result is what reading one item gave.
type result struct {
	def        *Definition // nil if not even its kind is known
	diags      diag.List
	unreadable string
	writable   Writable
}

// readAll reads the items, o.Jobs at a time.
func readAll(ctx context.Context, items []item, blobs *blobStore, o Options) []result {
	jobs := o.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	results := make([]result, len(items))
	var next atomic.Int64
	var group errgroup.Group
	for range min(jobs, len(items)) {
		group.Go(func() error {
			w := &worker{opts: o, blobs: blobs, names: make([]byte, 8192)}
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					break
				}
				results[i] = w.read(items[i])
			}
			return nil
		})
	}
	_ = group.Wait() // no job returns an error: what goes wrong is in the results
	return results
}

// sourceDir is an open source.
type sourceDir struct {
	fd    int
	index int
	path  string
	// unreadable is path if others may not enter the directory.
	unreadable string
	// writable is set if others may write to the directory.
	writable Writable
}

// item is an entry of a source that is a definition.
type item struct {
	src  *sourceDir
	name string
	// file is the entry's name: name, or name.toml.
	file string
	toml bool
}

// openSource opens and lists a source. It returns nil if that fails.
func openSource(index int, d Dir, o Options, diags *diag.List) (*sourceDir, []item) {
	at := diag.Position{File: d.Path}
	fail := func(err error) (*sourceDir, []item) {
		e := diags.Errorf("source-unreadable", at, "cannot read source %s: %s", d.Path, cause(err))
		e.System = true
		return nil, nil
	}
	fd, err := openDir(unix.AT_FDCWD, d.Path)
	if err != nil {
		return fail(err)
	}
	entries, err := list(fd, make([]byte, 64<<10), false)
	if err != nil {
		unix.Close(fd)
		return fail(err)
	}
	s := &sourceDir{fd: fd, index: index, path: strings.TrimRight(d.Path, "/")}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		if st.Mode&unix.S_IXOTH == 0 {
			s.unreadable = d.Path
		}
		var others writable.Checker
		if by := others.By(st.Uid, st.Gid, st.Mode); by != "" {
			s.writable = Writable{Path: d.Path, By: by, Source: index}
		}
	}
	items := make([]item, 0, len(entries))
	for _, e := range entries {
		if it, ok := s.classify(e, o, diags); ok {
			items = append(items, it)
		}
	}
	slices.SortFunc(items, func(a, b item) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.file, b.file)
	})
	return s, items
}

// classify decides whether an entry of a source is a definition. Names are
// checked for every kind of entry, as s6-rc does.
func (s *sourceDir) classify(e dirent, o Options, diags *diag.List) (item, bool) {
	at := diag.Position{File: s.path + "/" + e.name}
	if strings.Contains(e.name, "\n") {
		diags.Errorf("newline-in-name", at, "the name %q in source %s contains a newline", e.name, s.path)
		return item{}, false
	}
	if p := reservedPrefix(e.name); p != "" {
		d := diags.Errorf("reserved-prefix", at, "%s: a name must not begin with %s", e.name, p)
		d.Hint = "names that begin with s6rc- and s6-rc- belong to the tools themselves"
		return item{}, false
	}
	mode, err := s.kind(e)
	if err != nil {
		d := diags.Errorf("source-unreadable", at, "cannot read %s in source %s: %s", e.name, s.path, cause(err))
		if d.System = system(err); absent(err) {
			d.Hint = "it is a link to something that does not exist"
		}
		return item{}, false
	}
	if mode == unix.S_IFDIR {
		return item{src: s, name: e.name, file: e.name}, true
	}
	name, ok := strings.CutSuffix(e.name, ".toml")
	if !ok || o.S6RC {
		return item{}, false
	}
	return item{src: s, name: name, file: e.name, toml: true}, true
}

// kind returns the type bits of what an entry of a source is, links followed.
func (s *sourceDir) kind(e dirent) (uint32, error) {
	switch e.typ {
	case unix.DT_DIR:
		return unix.S_IFDIR, nil
	case unix.DT_REG:
		return unix.S_IFREG, nil
	}
	var st unix.Stat_t
	err := unix.Fstatat(s.fd, e.name, &st, 0)
	return st.Mode & unix.S_IFMT, err
}

// blobStore collects file contents from all workers.
type blobStore struct {
	mu    sync.Mutex
	blobs db.Blobs
}

// add stores a copy of content, if it is new, and returns its digest.
func (s *blobStore) add(content []byte) db.Digest {
	d := digest(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.blobs[d]; !ok {
		s.blobs[d] = append(make([]byte, 0, len(content)), content...)
	}
	return d
}
