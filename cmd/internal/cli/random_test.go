package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/change/scenario"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// Random services whose transitions fail, hang and crash are moved by commands that
// get signals, or lose daemons, supervisors or the oneshot runner, at random
// moments. After each command nothing is under way, the journal is right and
// nothing is left; and the same command again, once nothing goes wrong any more,
// does the rest.
func TestRandomGraphs(t *testing.T)     { randomGraphs(t, 1, 3, 14) }
func TestLongRandomGraphs(t *testing.T) { s6test.Long(t); randomGraphs(t, 100, 3, 14) }

// With so many services commands ask the runner's board what the supervisors say.
func TestLongRandomBigGraphs(t *testing.T) { s6test.Long(t); randomGraphs(t, 10, 100, 120) }

const rounds = 5

// randomGraphs does that with n graphs of few to many services.
func randomGraphs(t *testing.T, n uint64, few, many int) {
	usualModes()
	for seed := range n {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			services := scenario.Random(seed, few+r.IntN(many-few+1))
			m := newMachine(t, services)
			for range rounds {
				m.round(r, services)
				if t.Failed() {
					return
				}
			}
			m.must("rc-ctl", "-l", "live", "change", "-D", "-a")
			m.steady("at the end", false)
			for _, s := range m.state().Services {
				if s.Up {
					t.Errorf("at the end %s is up", s.Name)
				}
			}
		})
	}
}

// round has some transitions go another way, gives a command that something happens
// to, and then the same command again.
func (m *machine) round(r *rand.Rand, services []scenario.Service) {
	m.t.Helper()
	m.misbehave(r, services)
	command := randomCommand(r, services)
	d := disturbances[r.IntN(len(disturbances))]
	after := 1 + r.IntN(2*len(services))
	m.say("after %d records: %s", after, d.name)
	journal, err := s6.Subscribe(m.dir.EventDir())
	if err != nil {
		m.t.Fatal(err)
	}
	code, out := m.call(func(ctx context.Context, p *os.Process) {
		if records(ctx, journal, after) {
			d.do(m, r, p)
		}
	}, "rc-ctl", command...)
	journal.Close()
	switch {
	case code == -1 && d.name == "kill": // the next command sees to it
	case code == -1 && m.state().Run == nil: // it had ended, and was about to exit: nothing heard the signal
		m.steady("after the command", d.loses)
	case code < 0 || code > exitTimeout:
		m.t.Fatalf("rc-ctl %q: exit code %d\n%s", command, code, out)
	default:
		m.steady("after the command", d.loses)
	}
	m.behave()
	m.converge(command)
}

// misbehave chooses how transitions go.
func (m *machine) misbehave(r *rand.Rand, services []scenario.Service) {
	ways := []scenario.Way{scenario.Fails, scenario.Hangs, scenario.Crashes, scenario.Waits}
	for _, s := range services {
		for _, op := range []change.Op{change.Start, change.Stop} {
			way := ways[r.IntN(len(ways))]
			if r.IntN(6) > 0 || way == scenario.Crashes && s.Oneshot {
				continue
			}
			if op == change.Stop && !s.Oneshot && way != scenario.Waits {
				way = scenario.Hangs
			}
			tr := scenario.Transition{Service: s.Name, Op: op}
			m.say("%s %s %s", op, s.Name, way)
			m.odd[tr] = true
			m.Set(tr, way)
		}
	}
}

// behave has everything work again, also what waits at present.
func (m *machine) behave() {
	for tr := range m.odd {
		m.Set(tr, scenario.Works)
		m.Let(tr.Service)
	}
	clear(m.odd)
}

// randomCommand is a command line of rc-ctl.
func randomCommand(r *rand.Rand, services []scenario.Service) []string {
	var names []string
	for _, i := range r.Perm(len(services))[:1+r.IntN(len(services))] {
		names = append(names, services[i].Name)
	}
	args := []string{"-l", "live"}
	switch r.IntN(6) {
	case 0, 1, 2:
		args = append(args, "start")
	case 3:
		args = append(args, "stop")
	case 4:
		args = append(args, "change", "-u", "-p")
	case 5:
		return append(args, "change", "-d", "-a")
	}
	if r.IntN(3) == 0 {
		args = append(args, "--max-parallel", "2")
	}
	return append(args, names...)
}

// disturbance is something that happens to a command.
type disturbance struct {
	name string
	// loses says that it may leave oneshots running, or unknown.
	loses bool
	do    func(m *machine, r *rand.Rand, command *os.Process)
}

var disturbances = []disturbance{
	{"nothing", false, func(*machine, *rand.Rand, *os.Process) {}},
	{"term", false, func(_ *machine, _ *rand.Rand, p *os.Process) { p.Signal(syscall.SIGTERM) }},
	{"int", false, func(_ *machine, _ *rand.Rand, p *os.Process) { p.Signal(syscall.SIGINT) }},
	{"int and term", true, func(_ *machine, _ *rand.Rand, p *os.Process) {
		p.Signal(syscall.SIGINT)
		p.Signal(syscall.SIGTERM)
	}},
	{"kill", true, func(_ *machine, _ *rand.Rand, p *os.Process) { p.Signal(syscall.SIGKILL) }},
	{"daemon", false, func(m *machine, r *rand.Rand, _ *os.Process) {
		killService(m.dir.Servicedir(m.anySlot(r)))
	}},
	{"supervisor", false, func(m *machine, r *rand.Rand, _ *os.Process) { m.killSupervisor(m.anySlot(r)) }},
	{"runner", true, func(m *machine, _ *rand.Rand, _ *os.Process) { m.killRunner() }},
}

// anySlot is that of a longrun, 0 if there is none.
func (m *machine) anySlot(r *rand.Rand) live.Slot {
	var slots []live.Slot
	for _, s := range m.state().Services {
		if s.Type == db.Longrun {
			slots = append(slots, s.Slot)
		}
	}
	if len(slots) == 0 {
		return 0
	}
	return slots[r.IntN(len(slots))]
}

// records waits until n more records have been written to the journal. It reports
// false if ctx ends before.
func records(ctx context.Context, journal *s6.Subscription, n int) bool {
	for n > 0 {
		events, err := journal.Next(ctx)
		if err != nil {
			return false
		}
		n -= len(events)
	}
	return true
}

// converge gives a command again until all of it is done. Only a service that has
// its limit may take more than one try: a busy machine may be slower.
func (m *machine) converge(command []string) {
	m.t.Helper()
	const attempts = 10
	for try := 1; ; try++ {
		code, out := m.call(nil, "rc-ctl", command...)
		if code == exitOK {
			break
		}
		if try == attempts || code != exitFailed || !strings.Contains(out, "timed out") {
			m.t.Fatalf("rc-ctl %q again: exit code %d\n%s", command, code, out)
		}
	}
	m.steady("after the same command again", false)
	if out := m.must("rc-ctl", append(command, "-n")...); out != "" {
		m.t.Errorf("rc-ctl %q would still do\n%s", command, out)
	}
}
