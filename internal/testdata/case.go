package testdata

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Case is a source tree with what the reference answers for it.
type Case struct {
	ID      string            `json:"id"`
	Family  string            `json:"family"`
	Tags    []string          `json:"tags"`
	Sources []string          `json:"sources"`
	Args    []string          `json:"args"`
	Dest    string            `json:"dest"`
	Dirs    []string          `json:"dirs"`
	Links   map[string]string `json:"links"`
	Modes   map[string]string `json:"modes"`
	NoNL    []string          `json:"nonl"`
	B64     []string          `json:"b64"`
	Files   map[string][]byte `json:"-"`
	Expect  Expect            `json:"-"`
}

// Expect is the reference's answer.
type Expect struct {
	Exit         int                 `json:"exit"`
	Services     []string            `json:"services"`
	Oneshots     []string            `json:"oneshots"`
	Longruns     []string            `json:"longruns"`
	Bundles      []string            `json:"bundles"`
	Nonessential []string            `json:"nonessential"`
	Svc          map[string]*Service `json:"svc"`
	Queries      []Query             `json:"queries"`
	Warnings     []string            `json:"warnings"`
	Class        string              `json:"class"`
	Names        []string            `json:"names"`
	Alternative  *struct {
		Class string   `json:"class"`
		Names []string `json:"names"`
	} `json:"alternative"`
}

// Service is the expected content of a database for one name.
type Service struct {
	Type       string            `json:"type"`
	Flags      string            `json:"flags"`
	Timeout    [2]uint32         `json:"timeout"` // up, down
	Up         []Bytes           `json:"up"`
	Down       []Bytes           `json:"down"`
	Reload     []Bytes           `json:"reload"`
	Pipeline   []string          `json:"pipeline"`
	Contents   []string          `json:"contents"`
	Deps       []string          `json:"deps"`
	RDeps      []string          `json:"rdeps"`
	AllDeps    []string          `json:"alldeps"`
	AllRDeps   []string          `json:"allrdeps"`
	Servicedir map[string]string `json:"servicedir"`
}

// Query is a call of s6-rc-db.
type Query struct {
	Args []string `json:"args"`
	Exit int      `json:"exit"`
	Out  []string `json:"out"`
}

// Bytes is a string that need not be UTF-8: in JSON a string, or {"b64": ...}.
type Bytes string

// UnmarshalJSON implements [json.Unmarshaler].
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err == nil {
		*b = Bytes(s)
		return nil
	}
	var raw struct{ B64 []byte }
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	*b = Bytes(raw.B64)
	return nil
}

// Strings returns the values as strings.
func Strings(list []Bytes) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}

// ParseCase reads a case file.
func ParseCase(text []byte) (*Case, error) {
	header, rest, ok := bytes.Cut(text, []byte("\n"))
	if !ok {
		return nil, errors.New("no header")
	}
	c := &Case{Dest: "out", Files: map[string][]byte{}}
	if err := json.Unmarshal(header, c); err != nil {
		return nil, fmt.Errorf("cannot read header: %w", err)
	}
	path, content := "", []byte{}
	flush := func() error {
		switch path {
		case "":
			return nil
		case "//expect.json":
			return json.Unmarshal(content, &c.Expect)
		}
		return c.addFile(path, content)
	}
	for line := range bytes.Lines(rest) {
		if name, ok := sectionName(line); ok {
			if err := flush(); err != nil {
				return nil, fmt.Errorf("section %s: %w", path, err)
			}
			path, content = name, []byte{}
			continue
		}
		content = append(content, line...)
	}
	if err := flush(); err != nil {
		return nil, fmt.Errorf("section %s: %w", path, err)
	}
	return c, nil
}

func sectionName(line []byte) (string, bool) {
	s := strings.TrimSuffix(string(line), "\n")
	if !strings.HasPrefix(s, "-- ") || !strings.HasSuffix(s, " --") || len(s) < 7 {
		return "", false
	}
	return s[3 : len(s)-3], true
}

func (c *Case) addFile(path string, content []byte) error {
	if slices.Contains(c.B64, path) {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(content)))
		if err != nil {
			return err
		}
		content = b
	} else if slices.Contains(c.NoNL, path) {
		content = bytes.TrimSuffix(content, []byte("\n"))
	}
	c.Files[path] = content
	return nil
}

// HasTag reports whether the case carries a tag.
func (c *Case) HasTag(tag string) bool { return slices.Contains(c.Tags, tag) }

// Name returns a service's name as it is. Cases whose names are not UTF-8 write
// them percent-encoded.
func (c *Case) Name(encoded string) string {
	if c.HasTag("non-utf8") {
		return decode(encoded)
	}
	return encoded
}

// NeedsRoot reports whether the answer was taken by a reader that permissions do
// not stop.
func (c *Case) NeedsRoot() bool {
	for _, m := range c.Modes {
		if mode, err := strconv.ParseUint(m, 8, 32); err == nil && mode&0o400 == 0 {
			return true
		}
	}
	return false
}

// Extract makes the tree below root.
func (c *Case) Extract(root string) error {
	for _, d := range c.Dirs {
		if err := os.MkdirAll(filepath.Join(root, decode(d)), 0o755); err != nil {
			return err
		}
	}
	for path, content := range c.Files {
		if err := parent(root, path); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, decode(path)), content, 0o644); err != nil {
			return err
		}
	}
	for path, target := range c.Links {
		if err := parent(root, path); err != nil {
			return err
		}
		if err := os.Symlink(target, filepath.Join(root, decode(path))); err != nil {
			return err
		}
	}
	if c.HasTag("dest-exists") {
		if err := os.Mkdir(filepath.Join(root, c.Dest), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return c.chmod(root)
}

func parent(root, path string) error {
	return os.MkdirAll(filepath.Dir(filepath.Join(root, decode(path))), 0o755)
}

func (c *Case) chmod(root string) error {
	for path, text := range c.Modes {
		mode, err := strconv.ParseUint(text, 8, 32)
		if err != nil {
			return err
		}
		perm := fs.FileMode(mode & 0o777)
		for bit, special := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
			if mode&bit != 0 {
				perm |= special
			}
		}
		if err := os.Chmod(filepath.Join(root, decode(path)), perm); err != nil {
			return err
		}
	}
	return nil
}

// decode undoes the %XX of paths.
func decode(path string) string {
	if s, err := url.PathUnescape(path); err == nil {
		return s
	}
	return path
}
