package runner

import (
	"os"
	"slices"
	"strings"
)

// execlineDir is where Debian has execline's programs, which a lexed program may
// begin with. Other systems have them in PATH.
const execlineDir = "/usr/lib/execline/bin"

// defaultPath is that of s6 where there is no PATH.
const defaultPath = "/usr/bin:/bin"

// NameVar is the variable that holds a service's name. Who finds it in its
// environment is part of a oneshot's program.
const NameVar = "RC_NAME"

// baseEnv makes the environment that all programs have from that of the runner,
// and returns it with its PATH.
func baseEnv(environ []string, exists func(dir string) bool) (env []string, path string) {
	path = defaultPath
	for _, v := range environ {
		name, value, ok := strings.Cut(v, "=")
		switch {
		case !ok || name == NameVar:
			continue
		case name == "PATH":
			path = value
			continue
		}
		env = append(env, v)
	}
	if exists(execlineDir) && !slices.Contains(strings.Split(path, ":"), execlineDir) {
		path += ":" + execlineDir
	}
	return append(env, "PATH="+path), path
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// find looks a program up in path as execvp does. One with a slash is itself.
func find(name, path string) string {
	if strings.Contains(name, "/") {
		return name
	}
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + name
		info, err := os.Stat(file)
		if err == nil && !info.IsDir() && info.Mode().Perm()&0o111 != 0 {
			return file
		}
	}
	return ""
}
