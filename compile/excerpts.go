package compile

import (
	"os"
	"strings"

	"strata/internal/diag"
)

// addExcerpts gives diagnostics that know only a place the line that stands
// there. A file that cannot be read any more is passed over.
func addExcerpts(list diag.List) {
	files := map[string][]string{}
	for i := range list {
		d := &list[i]
		if d.Excerpt != "" || d.Pos.Line == 0 {
			continue
		}
		lines, ok := files[d.Pos.File]
		if !ok {
			b, _ := os.ReadFile(d.Pos.File)
			lines = strings.Split(string(b), "\n")
			files[d.Pos.File] = lines
		}
		if d.Pos.Line <= len(lines) {
			d.Excerpt = strings.TrimSuffix(lines[d.Pos.Line-1], "\r")
			d.Width = nameWidth(d.Excerpt, d.Pos.Column)
		}
	}
}

// nameWidth returns how many bytes the name at a column takes: a string in
// quotes, or the rest of the line.
func nameWidth(line string, column int) int {
	if column < 1 || column > len(line) {
		return 0
	}
	rest := line[column-1:]
	if quote := rest[0]; quote == '"' || quote == '\'' {
		if end := strings.IndexByte(rest[1:], quote); end >= 0 {
			return end + 2
		}
	}
	return len(rest)
}
