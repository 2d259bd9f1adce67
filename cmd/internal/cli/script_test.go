package cli

import (
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// TestMain lets the test binary stand in for every tool: called under a tool's
// name it is that tool.
func TestMain(m *testing.M) {
	commands := map[string]func(){"strata": runTool}
	for _, t := range tools() {
		commands[t.link] = runTool
	}
	for name := range dropins() {
		commands[name] = runTool
	}
	testscript.Main(m, commands)
}

func runTool() { os.Exit(Main(os.Args)) }

// usualModes gives the files that tests make the usual modes, of which the
// compiler does not warn, whatever the umask of whoever runs the tests.
func usualModes() { unix.Umask(0o022) }

// TestScripts runs the command lines in testdata/script as a user would type
// them. Besides testscript's own commands there is
//
//	exits CODE COMMAND...  run a command that must end with this exit code
func TestScripts(t *testing.T) {
	usualModes()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Condition:           scriptCondition,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": scriptExits},
	})
}

// scriptExits runs a command and checks its exit code; stdout and stderr can be
// matched afterwards.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("cannot run %s: %v", args[1], err)
		}
		got = code.ExitCode()
	}
	if got != want {
		ts.Fatalf("%q ended with exit code %d, want %d", args[1:], got, want)
	}
}

// scriptCondition knows [root] besides testscript's own conditions.
func scriptCondition(cond string) (bool, error) {
	return cond == "root" && os.Geteuid() == 0, nil
}
