package explain

import (
	"fmt"
	"strings"
	"time"

	"strata/live/change"
)

// Sentences says in words what a chain of [Scene.Why] means, a line for each link and
// for what else is to be known of the first. Of a long chain the middle is left out.
func (s *Scene) Sentences(chain []Link) []string {
	const ends = 10
	var lines []string
	for i, l := range chain {
		if hidden := len(chain) - 2*ends; hidden > 1 && i >= ends && i < ends+hidden {
			if i == ends {
				lines = append(lines, fmt.Sprintf("... and %d more on the way ...", hidden))
			}
			continue
		}
		lines = append(lines, s.sentence(l))
		if i == 0 {
			lines = append(lines, s.besides(l)...)
		}
	}
	return lines
}

// sentence is one link.
func (s *Scene) sentence(l Link) string {
	switch l.Reason {
	case UnderWay:
		return l.Name + " is " + doing(l) + s.span(*l.Wait) + by(l.Command)
	case InTurn:
		what := "waits for " + l.ByName + others(l.Others)
		if l.ByName == "" {
			what = "waits for its turn"
		}
		return fmt.Sprintf("%s is %s: to %s it %s%s", l.Name, upOrDown(l), l.Wait.Op, what, by(l.Command))
	case Orphaned:
		return fmt.Sprintf("%s is %s%s: a command that is gone began it, and the next command takes note of how it ended", l.Name, doing(l), s.when(", since ", l.At))
	}
	return fmt.Sprintf("%s is %s%s", l.Name, upOrDown(l), s.because(l))
}

// because is why a service is up or down that nobody is at work on.
func (s *Scene) because(l Link) string {
	switch l.Reason {
	case PulledIn:
		return s.when(" since ", l.At) + ": " + l.Cause + by(l.Command)
	case TakenAlong:
		return s.when(" since ", l.At) + ": stopped because it needs " + l.ByName + by(l.Command)
	case TurnedOff:
		return s.when(" since ", l.At) + with(": stopped by ", l.Command)
	case HasFailed:
		return ": its start failed" + s.when(" at ", l.At) + with(": ", l.Detail) + by(l.Command)
	case GaveUp:
		return ": it gave up for good" + s.when(" at ", l.At) + with(": ", l.Detail) + by(l.Command)
	case HeldBack:
		return ": it was skipped" + s.when(" at ", l.At) + " because " + l.ByName + " failed" + by(l.Command)
	case Found:
		return s.when(" since ", l.At) + ": " + l.Detail + ", by other means than a command of ours"
	case Lost:
		return s.when(" since ", l.At) + with(": ", l.Detail)
	case Untouched:
		return ": nothing has started it since the live directory was made"
	}
	return s.when(" since ", l.At) + with(": started by ", l.Command)
}

// besides is what else is to be known of a service.
func (s *Scene) besides(l Link) []string {
	var lines []string
	if l.Trouble != "" {
		lines = append(lines, "its "+l.Trouble)
	}
	if l.State == Restarting {
		lines = append(lines, "its process has ended ("+s.Services[l.Service].Status.Wait.String()+") and is about to be started again")
	}
	up := s.Services[l.Service].Up
	switch {
	case up && l.Wanted:
		lines = append(lines, "it is wanted up")
	case !up && l.Wanted && l.Reason != UnderWay && l.Reason != InTurn:
		lines = append(lines, "it is wanted up, and is not")
	case up && l.Essential:
		lines = append(lines, "it is essential: a stop leaves it up unless it is told otherwise")
	}
	if up && len(l.NeededBy) > 0 {
		lines = append(lines, "needed now by "+s.neededBy(l.NeededBy))
	}
	return lines
}

// neededBy names those that need a service, the essential ones, which hold it, first.
func (s *Scene) neededBy(ids []ID) string {
	var held, rest []ID
	for _, id := range ids {
		if s.essential(id) {
			held = append(held, id)
		} else {
			rest = append(rest, id)
		}
	}
	text := s.names(append(held, rest...))
	switch {
	case len(held) == 1 && len(ids) == 1:
		return text + ", which is essential"
	case len(held) > 0:
		return fmt.Sprintf("%s; essential: %s", text, s.names(held))
	}
	return text
}

// doing says what is being done to the service of a link.
func doing(l Link) string {
	switch l.State {
	case RunningUp:
		return "running its up program"
	case RunningDown:
		return "running its down program"
	case Finishing:
		return "running its finish program"
	}
	if l.Wait == nil {
		return string(l.State)
	}
	switch l.Wait.Op {
	case change.Stop:
		return "stopping"
	case change.Reload:
		return "reloading"
	}
	return "starting"
}

// span is how long something has been under way.
func (s *Scene) span(w Wait) string { return with(", ", s.took(w)) }

// when is a moment with a word before it, empty if it is not known. What happened
// today has no date.
func (s *Scene) when(word string, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return word + Moment(at, s.Now)
}

// Moment is a time as people read it: the time of the day, with the date if it was not
// today.
func Moment(at, now time.Time) string {
	at = at.Local()
	if y, m, d := now.Local().Date(); at.Equal(time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.Local)) {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

// Command is how a command is remembered: the tool, what it does, and the first of the
// names that it was given.
func Command(tool, verb string, names []string) string {
	const most = 4
	words := append([]string{tool, verb}, names[:min(most, len(names))]...)
	if len(names) > most {
		words = append(words, "...")
	}
	return strings.Join(words, " ")
}

// by names the command in brackets.
func by(command string) string {
	if command == "" {
		return ""
	}
	return " (" + command + ")"
}

// with puts a word before a text, if there is one.
func with(word, text string) string {
	if text == "" {
		return ""
	}
	return word + text
}

func others(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " and 1 other"
	}
	return fmt.Sprintf(" and %d others", n)
}

// upOrDown is where a service is, whatever is being done to it.
func upOrDown(l Link) string {
	switch l.State {
	case Up, Restarting:
		return string(Up)
	case Starting, Stopping, Unknown:
		return string(l.State)
	}
	return string(Down)
}
