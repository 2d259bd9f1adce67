package servicedir

import "strings"

// Quote returns s as one word of the shell (POSIX sh), whatever bytes are in it.
// A null byte cannot be said in a shell and is for the caller to refuse.
func Quote(s string) string {
	if s != "" && strings.IndexFunc(s, special) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// special reports whether a character needs quoting somewhere in some shell.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_./:,+@%", r)
}

// words joins quoted words.
func words(argv ...string) string {
	quoted := make([]string, len(argv))
	for i, w := range argv {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}
