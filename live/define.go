package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/s6"
	"strata/live/servicedir"
)

// MakeServicedir makes what a service of the view needs: its definition, and for
// a longrun its service directory, which is then ready for a supervisor, with a
// file down. Nothing is linked to it yet. What is there already stays, except
// that its definition link is switched.
func (w *Writer) MakeServicedir(v View, id db.ServiceID) error {
	if err := makeServicedir(w.Dir, v, id); err != nil {
		return fmt.Errorf("cannot make service %s: %w", v.DB.Name(id), err)
	}
	return nil
}

// SwitchDef makes the view's definition of a service the one that counts from its
// next start on, and reports whether it was another one before. The process, if
// there is one, stays. Of a oneshot the definition is made and nothing switched:
// whoever runs it names it by its digest.
//
// Instances' template, which cannot be a link, is replaced too.
func (w *Writer) SwitchDef(v View, id db.ServiceID) (changed bool, err error) {
	slot, def := v.Slot(id), v.Definition(id)
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot switch definition of service %s: %w", v.DB.Name(id), err)
		}
	}()
	if v.DB.Type(id) == db.Oneshot {
		_, err := makeDefinition(w.Dir, v, id)
		return false, err
	}
	old, err := w.linkedDefinition(slot)
	if err != nil || old == def {
		return false, err
	}
	tree, err := makeDefinition(w.Dir, v, id)
	if err != nil {
		return false, err
	}
	if err := replaceTemplate(w.Servicedir(slot), tree); err != nil {
		return false, err
	}
	if err := w.Hooks.Hit("switch-def"); err != nil {
		return false, err
	}
	return true, linkDefinition(w.Servicedir(slot), slot, def)
}

func makeServicedir(d *Dir, v View, id db.ServiceID) error {
	tree, err := makeDefinition(d, v, id)
	if err != nil || v.DB.Type(id) == db.Oneshot {
		return err
	}
	return makeSlot(d, v.Slot(id), v.Definition(id), tree)
}

// makeDefinition renders a service into defs/SLOT/DIGEST, unless it is there.
func makeDefinition(d *Dir, v View, id db.ServiceID) (servicedir.Tree, error) {
	tree, err := v.Render(id)
	if err != nil {
		return nil, err
	}
	return tree, writeDefinition(d, v.Slot(id), v.Definition(id), tree)
}

func writeDefinition(d *Dir, slot Slot, def db.Digest, tree servicedir.Tree) error {
	dir := d.DefinitionDir(slot, def)
	if _, err := os.Lstat(dir); err == nil {
		return nil // it was put there whole
	}
	if err := mkdir(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	linked, _ := split(tree)
	return buildDir(dir, func(temp string) error { return servicedir.Write(temp, linked) })
}

// split parts a tree into what a live service directory links to and what is real
// in it.
func split(tree servicedir.Tree) (linked, real servicedir.Tree) {
	for _, f := range tree {
		switch top, _, _ := strings.Cut(f.Path, "/"); top {
		case "template", "instance", "instances":
			real = append(real, f)
		default:
			linked = append(linked, f)
		}
	}
	return linked, real
}

// makeSlot makes sv/SLOT for a longrun.
func makeSlot(d *Dir, slot Slot, def db.Digest, tree servicedir.Tree) error {
	dir := d.Servicedir(slot)
	if _, err := os.Lstat(dir); err == nil {
		// It was put there whole, but without a supervisor perhaps by somebody who was
		// killed before the journal learned what the slot is for.
		up, err := s6.Supervised(dir)
		if err != nil || up {
			return err
		}
		return linkDefinition(dir, slot, def)
	}
	_, real := split(tree)
	return buildDir(dir, func(temp string) error {
		if err := servicedir.Write(temp, real); err != nil {
			return err
		}
		for _, name := range servicedir.LinkNames() {
			if err := os.Symlink("def/"+name, filepath.Join(temp, name)); err != nil {
				return err
			}
		}
		if err := os.Symlink(defTarget(slot, def), filepath.Join(temp, "def")); err != nil {
			return err
		}
		if err := s6.MarkDown(temp); err != nil {
			return err
		}
		return s6.Seed(temp, s6.OwnerOnly())
	})
}

// buildDir makes a directory whole or not at all: it is filled under another name
// and renamed. What an earlier try left is removed.
func buildDir(dir string, fill func(temp string) error) error {
	temp := filepath.Join(filepath.Dir(dir), tempOf(filepath.Base(dir)))
	if err := removeTree(temp); err != nil {
		return err
	}
	err := os.Mkdir(temp, 0o700)
	if err == nil {
		err = fill(temp)
	}
	if err == nil {
		err = os.Chmod(temp, 0o755)
	}
	if err == nil {
		err = os.Rename(temp, dir)
	}
	if err != nil {
		return errors.Join(err, removeTree(temp))
	}
	return nil
}

func defTarget(slot Slot, def db.Digest) string {
	return path.Join("../../defs", slotName(slot), def.String())
}

// linkDefinition switches the one definition link.
func linkDefinition(dir string, slot Slot, def db.Digest) error {
	return replaceLink(defTarget(slot, def), filepath.Join(dir, "def"))
}

// replaceTemplate puts the tree's template in place of the one in dir, if they
// can differ: it is not compared. instance and instances are kept, or made.
func replaceTemplate(dir string, tree servicedir.Tree) error {
	_, real := split(tree)
	old := filepath.Join(dir, "template")
	_, err := os.Lstat(old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	there := err == nil
	if len(real) == 0 && !there {
		return nil
	}
	temp := filepath.Join(dir, tempOf("template"))
	if err := removeTree(temp); err != nil {
		return err
	}
	if len(real) > 0 {
		if err := os.Mkdir(temp, 0o700); err != nil {
			return err
		}
		if err := servicedir.Write(temp, real); err != nil {
			return errors.Join(err, removeTree(temp))
		}
		for _, name := range []string{"instance", "instances"} {
			if err := mkdir(filepath.Join(dir, name), 0o755); err != nil {
				return err
			}
		}
		err := exchange(filepath.Join(temp, "template"), old)
		return errors.Join(err, removeTree(temp))
	}
	return removeTree(old)
}

// exchange puts from at to; what was at to is then at from.
func exchange(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
	if err == unix.ENOENT {
		return os.Rename(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "exchange", Old: from, New: to, Err: err}
	}
	return nil
}

// replaceLink makes path a link to target by one rename.
func replaceLink(target, path string) error {
	if old, err := os.Readlink(path); err == nil && old == target {
		return nil
	}
	temp := filepath.Join(filepath.Dir(path), tempOf(filepath.Base(path)))
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}

// mkdir makes a directory with exactly these permissions, or leaves the one that
// is there.
func mkdir(path string, perm os.FileMode) error {
	err := os.Mkdir(path, perm)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(path, perm)
}

// removeTree removes a directory with all that is in it, also where the
// permissions of directories in it forbid that to their owner.
func removeTree(path string) error {
	err := os.RemoveAll(path)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if e != nil && e.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}
