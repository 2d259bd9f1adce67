package servicedir

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"strata/compile/db"
)

// pipeScript is a program that takes the ends of its pipes from the fd-holder and
// becomes prog. The holder's client puts what it retrieves on standard input, so
// that the end for standard output has to be moved from there.
//
// What runs is given the arguments of the script. fds are the descriptors it
// expects by number: none of them may be touched.
func pipeScript(p Pipes, prog string, fds []uint32) string {
	retrieve := func(id string) string { return words("s6-fdholder-retrieve", p.Socket, id) + " " }
	body := words(prog) + ` "$@"`
	switch {
	case p.Write == "":
		body = "exec " + retrieve(p.Read) + body
	case p.Read == "":
		// Standard input is kept aside while the pipe passes through it.
		keep := strconv.Itoa(spare(fds))
		inner := "exec " + body + " 1<&0 0<&" + keep + " " + keep + "<&-"
		body = "exec " + retrieve(p.Write) + "/bin/sh -c " + Quote(inner) + ` sh "$@" ` + keep + "<&0"
	default:
		inner := "exec " + retrieve(p.Read) + body + " 1<&0"
		body = "exec " + retrieve(p.Write) + "/bin/sh -c " + Quote(inner) + ` sh "$@"`
	}
	return "#!/bin/sh\n" + body + "\n"
}

// spare is a descriptor of one digit, as shells want it, that the program does
// not expect.
func spare(fds []uint32) int {
	for fd := 9; fd > 3; fd-- {
		if !slices.Contains(fds, uint32(fd)) {
			return fd
		}
	}
	return 3
}

// setUp is the process set-up of a TOML definition, and the program it ends in:
// argv, or the script with this name in the same directory.
type setUp struct {
	exec        db.Exec
	envdir      bool // apply the directory env
	stderrToLog bool
	argv        []string
	script      string
}

// hasSetUp reports whether there is anything to set up.
func hasSetUp(x db.Exec) bool {
	return x.User != "" || len(x.Env) > 0 || x.Umask.Set || x.Workdir != "" || len(x.Limits) > 0 || x.RunBefore.Form != db.NoProgram
}

// text is the script.
func (s setUp) text() (string, error) {
	var b strings.Builder
	line := func(parts ...string) { b.WriteString(strings.Join(parts, " ") + "\n") }
	line("#!/bin/sh")
	if s.stderrToLog {
		line("exec 2>&1")
	}
	if s.exec.Umask.Set {
		line("umask", fmt.Sprintf("%04o", s.exec.Umask.Value&0o777))
	}
	for _, v := range s.exec.Env {
		if !validVar(v.Name) {
			return "", fmt.Errorf("%q cannot be the name of an environment variable", v.Name)
		}
		line("export", v.Name+"="+Quote(v.Value))
	}
	// Paths into the directory are relative to where the script starts; a workdir
	// makes them absolute. The variable must not reach the program.
	base := "."
	if s.exec.Workdir != "" {
		base = `"$here"`
		line(`unset here; here=$(pwd -P)`)
		line("cd", Quote(cdPath(s.exec.Workdir)), "|| exit 111")
	}
	prefix, err := s.prefix(base)
	if err != nil {
		return "", err
	}
	switch x := s.exec; x.RunBefore.Form {
	case db.Argv:
		if len(x.RunBefore.Argv) > 0 {
			line(prefix+timeout(x.RunBeforeTimeout)+words(x.RunBefore.Argv...), "|| exit $?")
		}
	case db.Script:
		line(prefix+timeout(x.RunBeforeTimeout)+base+"/run-before", "|| exit $?")
	}
	switch {
	case s.script != "":
		line("exec", prefix+base+"/"+s.script, `"$@"`)
	case len(s.argv) == 0:
		line("exit 0") // an empty program runs nothing and succeeds
	default:
		line("exec", prefix+words(s.argv...))
	}
	text := b.String()
	if strings.ContainsRune(text, 0) {
		return "", fmt.Errorf("a value contains a null byte")
	}
	return text, nil
}

// prefix is what stands before the program: limits, the directory env, the user.
func (s setUp) prefix(base string) (string, error) {
	var b strings.Builder
	if len(s.exec.Limits) > 0 {
		b.WriteString("s6-softlimit ")
		for _, l := range s.exec.Limits {
			option, ok := limitOptions[l.Name]
			if !ok {
				return "", fmt.Errorf("unknown limit %q", l.Name)
			}
			b.WriteString(option + " " + limitValue(l.Value) + " ")
		}
	}
	if s.envdir {
		b.WriteString("s6-envdir " + base + "/env ")
	}
	switch user := s.exec.User; {
	case user == "":
	case strings.Contains(user, ":"):
		// Both by name or number; the supplementary groups are the one group.
		_, group, _ := strings.Cut(user, ":")
		if group == "" {
			return "", fmt.Errorf("%q names no group", user)
		}
		b.WriteString("s6-envuidgid -nB " + Quote(user) + " env GIDLIST= s6-applyuidgid -Uz ")
	default:
		b.WriteString("s6-setuidgid " + Quote(user) + " ")
	}
	return b.String(), nil
}

// limitOptions are the options of s6-softlimit by the name of the limit.
var limitOptions = map[string]string{
	"as": "-a", "core": "-c", "cpu": "-t", "data": "-d", "fsize": "-f",
	"memlock": "-l", "nofile": "-o", "nproc": "-p", "rss": "-r", "stack": "-s",
}

// limitValue is a soft limit as s6-softlimit takes it. Unlimited is what the hard
// limit allows.
func limitValue(v uint64) string {
	if v == math.MaxUint64 {
		return "="
	}
	return strconv.FormatUint(v, 10)
}

// timeout limits a program that follows: TERM at the end, and KILL 5 s later.
func timeout(ms db.Millis) string {
	if ms == 0 {
		return ""
	}
	s := strconv.FormatUint(uint64(ms/1000), 10)
	if rest := ms % 1000; rest != 0 {
		s += fmt.Sprintf(".%03d", rest)
	}
	return "timeout -k 5 " + s + " "
}

// validVar reports whether a shell can export the name.
func validVar(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// cdPath is a path for cd: not an option, not "-", and not looked for in CDPATH.
func cdPath(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "./" + path
}
