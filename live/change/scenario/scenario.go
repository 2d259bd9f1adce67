package scenario

import (
	"strings"
	"time"

	"strata/live/change"
)

// Way is how a transition of a service goes.
type Way string

// The ways.
const (
	// Works is at once. It is what a service does of which nothing is said.
	Works Way = "works"
	// Fails is exit 1 of a oneshot; a longrun says that it can never start.
	Fails Way = "fails"
	// Hangs does not end: a oneshot goes on, a longrun is not ready, or does not
	// take the signal that should end it.
	Hangs Way = "hangs"
	// Waits ends once the service is let: see [World].
	Waits Way = "waits"
	// Crashes is a longrun's: it dies before it is ready, again and again.
	Crashes Way = "crashes"
)

// Limit is that of the transitions that have one: long enough for one that works on
// a machine that is not busy.
const Limit = time.Second

// Scenario is some services and what is asked of them, one step after the other.
type Scenario struct {
	Name string
	// Services are one an entry: "web: db ~log ?cache" is a longrun that needs db,
	// comes after log, and wants cache; "(net): !" an essential oneshot. Elsewhere
	// the parentheses are for readers.
	Services []string
	// Limited are the transitions with a [Limit]: "start web, stop web".
	Limited string
	Steps   []Step
}

// Step is one command.
type Step struct {
	// Ways say how transitions go from now on: "start web, stop db" by the way.
	Ways map[Way]string
	// Op and Names are what is asked for; the name "*" is all that is up.
	Op    change.Op
	Names string
	// On says what is done when something happens in the run, as the engine tells
	// it, "began start web", or as the service does, "waits web": "interrupt",
	// "abandon" (the second signal: nobody waits for oneshots), or "let NAME".
	On map[string]string
	// Each is asked for the same at each event.
	Each func() string
	// Limit is that of the whole command, 0 is none.
	Limit time.Duration
	// Want is what [Outcome] has to say of it, Up what is up afterwards, sorted.
	Want, Up string
}

// Service is a service of a scenario.
type Service struct {
	Name               string
	Oneshot, Essential bool
	// Limited says which of its transitions have a [Limit].
	Limited map[change.Op]bool
	// Needs, Wants and After are names.
	Needs, Wants, After []string
}

// Parse reads the services of a scenario.
func (s Scenario) Parse() []Service {
	limited := transitions(s.Limited)
	var list []Service
	for _, line := range s.Services {
		head, rest, _ := strings.Cut(line, ":")
		v := Service{Name: strings.Trim(head, "()")}
		v.Oneshot = v.Name != head
		v.Limited = map[change.Op]bool{}
		for _, l := range limited {
			v.Limited[l.Op] = v.Limited[l.Op] || l.Service == v.Name
		}
		for word := range strings.FieldsSeq(rest) {
			word = strings.Trim(word, "()")
			switch word[0] {
			case '!':
				v.Essential = true
			case '~':
				v.After = append(v.After, word[1:])
			case '?':
				v.Wants = append(v.Wants, word[1:])
			default:
				v.Needs = append(v.Needs, word)
			}
		}
		list = append(list, v)
	}
	return list
}

// transitions reads "start web, stop db".
func transitions(text string) (list []Transition) {
	for part := range strings.SplitSeq(text, ",") {
		op, name, _ := strings.Cut(strings.TrimSpace(part), " ")
		t := Transition{Service: name, Op: change.Start}
		if op == change.Stop.String() {
			t.Op = change.Stop
		}
		list = append(list, t)
	}
	return list
}

// Transition is what can go one way or another.
type Transition struct {
	Service string
	Op      change.Op
}
