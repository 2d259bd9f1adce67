package cli

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"strata/internal/syspoint"
	"strata/live/s6/s6test"
)

// TestMain lets the test binary stand in for every tool: called under a tool's
// name it is that tool.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == syspoint.Command {
		fmt.Fprintln(os.Stderr, syspoint.Main(os.Args[2:]))
		os.Exit(exitSystem)
	}
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
//
// and the conditions [root], and [long] in the long suite.
func TestScripts(t *testing.T) { runScripts(t, testscript.Params{Dir: "testdata/script"}, false) }

// TestLongScripts runs those that have cases for the long suite.
func TestLongScripts(t *testing.T) {
	s6test.Long(t)
	runScripts(t, testscript.Params{Files: []string{"testdata/script/ctl_rescue.txtar"}}, true)
}

func runScripts(t *testing.T, p testscript.Params, long bool) {
	usualModes()
	p.RequireExplicitExec, p.RequireUniqueNames = true, true
	p.UpdateScripts = os.Getenv("UPDATE") != ""
	p.Condition = func(cond string) (bool, error) {
		switch cond {
		case "root":
			return os.Geteuid() == 0, nil
		case "long":
			return long, nil
		}
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	p.Cmds = map[string]func(*testscript.TestScript, bool, []string){"exits": scriptExits}
	testscript.Run(t, p)
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
