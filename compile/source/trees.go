package source

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/diag"
)

const (
	// maxFile is the largest file a database may hold.
	maxFile = 256 << 20
	// maxDepth is how deep directories below data, env and template may lie: each
	// level holds a descriptor open.
	maxDepth = 64
)

var (
	errTooLarge = errors.New("the file is larger than 256 MiB")
	errTooDeep  = errors.New("more than 64 directories lie within each other")
	errSpecial  = errors.New("devices and sockets cannot be kept in a database")
)

var treeNames = [...]string{"data", "env", "template"}

// readTrees reads data, env and template. Links are kept as links and never
// followed, also where one of the three is itself a link to a directory.
func (w *worker) readTrees() {
	for _, name := range treeNames {
		if e, ok := w.find(name); ok {
			w.readTree(e)
		}
	}
	slices.SortFunc(w.def.Body.Files, func(a, b db.Entry) int { return strings.Compare(a.Path, b.Path) })
}

func (w *worker) readTree(e dirent) {
	var st unix.Stat_t
	err := unix.Fstatat(w.fd, e.name, &st, 0)
	switch {
	case absent(err):
		return
	case err != nil:
		w.cannot("source-unreadable", "read", e.name, err)
		return
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		w.errorf("not-a-directory", e.name, "%s is not a directory", e.name).
			Hint = "data, env and template are directories that are copied as they are"
		return
	}
	if !w.def.FieldPos.Has(e.name) {
		w.def.FieldPos[e.name] = w.at(e.name)
	}
	w.copyEntry(w.fd, dirent{e.name, unix.DT_UNKNOWN}, e.name, 1)
}

// copyEntry adds the entry e of the directory at, and all below it.
func (w *worker) copyEntry(at int, e dirent, path string, depth int) {
	if err := w.tryCopy(at, e, path, depth); err != nil {
		code := diag.Code("copy-failed")
		if errors.Is(err, errSpecial) {
			code = "special-file"
		}
		d := w.cannot(code, "copy", path, err)
		d.System = d.System && !errors.Is(err, errSpecial) && !errors.Is(err, errTooLarge) && !errors.Is(err, errTooDeep)
	}
}

func (w *worker) tryCopy(at int, e dirent, path string, depth int) error {
	var st unix.Stat_t
	if err := unix.Fstatat(at, e.name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	entry := db.Entry{Path: path, Mode: st.Mode & 0o7777, Owner: w.owner(&st)}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		b, err := w.readFile(at, e.name, w.file(path), unix.O_NOFOLLOW, -1)
		if err != nil {
			return err
		}
		entry.Kind, entry.Blob = db.File, w.blobs.add(b)
	case unix.S_IFDIR:
		entry.Kind = db.Directory
		w.def.Body.Files = append(w.def.Body.Files, entry)
		return w.copyDir(at, e.name, path, depth)
	case unix.S_IFLNK:
		target, err := readlink(at, e.name, st.Size)
		if err != nil {
			return err
		}
		entry.Kind, entry.Target = db.Link, target
	case unix.S_IFIFO:
		entry.Kind = db.FIFO
	default:
		return errSpecial
	}
	w.def.Body.Files = append(w.def.Body.Files, entry)
	return nil
}

func (w *worker) copyDir(at int, name, path string, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	fd, err := openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	w.note(&st, unix.S_IROTH|unix.S_IXOTH, w.file(path))
	entries, err := list(fd, w.names, true)
	if err != nil {
		return err
	}
	for _, e := range entries {
		w.copyEntry(fd, e, path+"/"+e.name, depth+1)
	}
	return nil
}

func readlink(at int, name string, size int64) (string, error) {
	for n := max(int(size)+1, 128); ; n *= 2 {
		b := make([]byte, n)
		k, err := unix.Readlinkat(at, name, b)
		if err != nil {
			return "", err
		}
		if k < n {
			return string(b[:k]), nil
		}
	}
}

// owner returns who owns a file. Root and whoever runs this are the tree owner,
// with their groups, so that both compile to the same bytes.
func (w *worker) owner(st *unix.Stat_t) db.Owner {
	uid, gid := st.Uid, st.Gid
	if uid == uint32(os.Geteuid()) {
		uid = 0
	}
	if gid == uint32(os.Getegid()) {
		gid = 0
	}
	if uid == 0 && gid == 0 {
		return db.Owner{}
	}
	return db.Owner{Other: true, UID: uid, GID: gid}
}

// unusedTrees warns of directories beside a bundle in TOML.
func (w *worker) unusedTrees() {
	for _, name := range treeNames {
		if _, ok := w.find(name); ok {
			w.diags.Warnf("tree-ignored", w.at(name), "%s: %s is ignored, because a bundle runs nothing", w.name, name)
		}
	}
}
