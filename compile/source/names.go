package source

import (
	"crypto/sha256"
	"strings"

	"strata/compile/db"
)

// maxName is the longest name a service can have: it becomes the name of a
// directory.
const maxName = 255

// reservedPrefix returns the prefix that a name must not have, or "". The tools
// keep these names for what they run themselves.
func reservedPrefix(name string) string {
	for _, p := range []string{"s6rc-", "s6-rc-"} {
		if strings.HasPrefix(name, p) {
			return p
		}
	}
	return ""
}

// nameFault says what is wrong with a name that a definition gives or refers to;
// code is empty for a good name.
func nameFault(name string) (code, message string) {
	switch {
	case name == "":
		return "bad-name", "a name must not be empty"
	case len(name) > maxName:
		return "bad-name", "a name must not be longer than 255 bytes"
	case strings.Contains(name, "/"):
		return "bad-name", "a name must not contain a slash"
	case strings.Contains(name, "\n"):
		return "newline-in-name", "a name must not contain a newline"
	case strings.Contains(name, "\x00"):
		return "bad-name", "a name must not contain a NUL byte"
	case name[0] == '.':
		return "bad-name", "a name must not begin with a dot"
	}
	if p := reservedPrefix(name); p != "" {
		return "reserved-prefix", "a name must not begin with " + p
	}
	return "", ""
}

func digest(content []byte) db.Digest { return db.Digest(sha256.Sum256(content)) }
