package live

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"strata/compile/db"
	"strata/internal/atomicfs"
)

// KeepPatch keeps the text of a patch, for the owner alone, until the next [Writer.Sweep]
// that finds no patch under way, and returns its digest.
func (w *Writer) KeepPatch(text []byte) (db.Digest, error) {
	digest := db.Digest(sha256.Sum256(text))
	if err := w.Hooks.Hit("keep-patch"); err != nil {
		return digest, err
	}
	err := os.Mkdir(w.file("patches"), 0o700)
	if err == nil || errors.Is(err, os.ErrExist) {
		err = atomicfs.WriteFile(w.patchPath(digest), 0o600, func(f *os.File) error {
			_, err := f.Write(text)
			return err
		})
	}
	if err != nil {
		return digest, fmt.Errorf("cannot keep patch: %w", err)
	}
	return digest, nil
}

// KeptPatch returns the text of the patch with this digest. The error wraps
// [ErrCorrupt] if it is another one.
func (d *Dir) KeptPatch(digest db.Digest) ([]byte, error) {
	text, err := os.ReadFile(d.patchPath(digest))
	if err != nil {
		return nil, fmt.Errorf("cannot read patch: %w", err)
	}
	if db.Digest(sha256.Sum256(text)) != digest {
		return nil, fmt.Errorf("cannot read patch: %w: %s has another digest", ErrCorrupt, d.patchPath(digest))
	}
	return text, nil
}

func (d *Dir) patchPath(digest db.Digest) string {
	return filepath.Join(d.file("patches"), digest.String()+".json")
}

// sweepPatches removes the texts of patches that are over.
func (w *Writer) sweepPatches() error { return os.RemoveAll(w.file("patches")) }
