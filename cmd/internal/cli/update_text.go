package cli

import (
	"fmt"
	"io"
	"strings"

	"strata/cmd/internal/ui"
	"strata/update"
)

// printPatch writes a patch for people: the counts, then the actions phase by
// phase, each with its reason.
func printPatch(w io.Writer, p *update.Patch) {
	printActions(w, p, func(update.Action) {})
}

// printPreview is printPatch, and shows what has changed in the texts of each
// service that gets another definition.
func printPreview(w io.Writer, p *update.Patch, c *update.Changes, private bool) (err error) {
	printActions(w, p, func(a update.Action) {
		if a.Op != update.OpDefine || err != nil {
			return
		}
		if s := c.Changed(a.NewNames[0]); s != nil {
			err = printTexts(w, c, s, private)
		}
	})
	return err
}

// printTexts writes the differences of a service's texts, or their digests.
func printTexts(w io.Writer, c *update.Changes, s *update.ServiceChange, private bool) error {
	texts, err := shownTexts(c, s, private)
	for _, f := range s.Fields {
		t, ok := texts[f.Field]
		switch {
		case ok:
			_, _ = fmt.Fprintf(w, "    %s:\n", ui.Escape(f.Field))
			printText(w, "      ", t)
		case isDigest(f.From) || isDigest(f.To):
			_, _ = fmt.Fprintf(w, "    %s\n", fieldLine(f))
		}
	}
	return err
}

// printActions writes the counts, the actions, each followed by what after writes,
// and the warnings.
func printActions(w io.Writer, p *update.Patch, after func(update.Action)) {
	_, _ = fmt.Fprintln(w, patchCounts(p.Counts))
	phase := update.Phase("")
	for _, a := range p.Actions {
		if a.Phase != phase {
			phase = a.Phase
			_, _ = fmt.Fprintf(w, "%s\n", phase)
		}
		_, _ = fmt.Fprintf(w, "  %s\n", actionText(a))
		after(a)
	}
	if m := p.Store; m != nil && m.From != m.To {
		_, _ = fmt.Fprintf(w, "afterwards\n  %s\n", ui.Escape(moveText(m)))
	}
	for _, text := range p.Warnings {
		_, _ = fmt.Fprintf(w, "warning: %s\n", ui.Escape(text))
	}
}

// patchCounts reads "2 restart, 1 stop, 3 start, 996 untouched"; what does not
// happen is left out.
func patchCounts(c update.Counts) string {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{
		{c.Restart, "restart"},
		{c.Stop, "stop"},
		{c.Start, "start"},
		{c.Reload, "reload"},
		{c.Redefine, "redefined"},
		{c.Stale, "stale"},
		{c.Add, "added"},
		{c.Remove, "removed"},
		{c.Rename, "renamed"},
	} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing moves"}
	}
	return strings.Join(append(parts, fmt.Sprintf("%d untouched", c.Untouched)), ", ")
}

func actionText(a update.Action) string {
	text := string(a.Op)
	if a.Service != "" {
		text += " " + ui.Escape(a.Service)
	}
	if a.Op == update.OpRename {
		text += " to " + escaped(a.NewNames)
	}
	if a.Stale {
		text += " (its process goes on with the old definition)"
	}
	if a.Forced {
		text += " (an operator had stopped it)"
	}
	return text + ": " + strings.Join(chainTexts(a.Because), "; ")
}

// chainTexts says the links of a chain, without the middle of a long one; JSON has
// more of it.
func chainTexts(chain []update.Cause) []string {
	const ends, most = 2, 5
	var middle []update.Cause
	head, tail := chain, []update.Cause(nil)
	if len(chain) > most {
		head, middle, tail = chain[:ends], chain[ends:len(chain)-ends], chain[len(chain)-ends:]
	}
	var texts []string
	for _, c := range head {
		texts = append(texts, causeText(c))
	}
	if len(middle) > 0 {
		left := 0
		for _, c := range middle {
			left += max(c.Links, 1)
		}
		texts = append(texts, fmt.Sprintf("and so on through %d more", left))
	}
	for _, c := range tail {
		texts = append(texts, causeText(c))
	}
	return texts
}

func escaped(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = ui.Escape(n)
	}
	return strings.Join(out, ", ")
}

// causeText says one link of a reason.
func causeText(c update.Cause) string {
	name := ui.Escape(c.Service)
	text := ""
	switch c.What {
	case update.ReasonChanged:
		text = fmt.Sprintf("%s of %s changed%s", ui.Escape(c.Field), name, fromTo(c))
	case update.ReasonAdded:
		text = name + " is new"
	case update.ReasonRemoved:
		text = name + " is gone"
	case update.ReasonRetyped:
		text = fmt.Sprintf("%s is a %s now", name, ui.Escape(c.To))
	case update.ReasonUnfolded:
		text = fmt.Sprintf("%s is a bundle now, of %s", name, ui.Escape(c.To))
	case update.ReasonRenamed:
		text = fmt.Sprintf("%s is called %s now", name, ui.Escape(c.To))
	case update.ReasonOrdered:
		text = name + " is to be restarted, by " + strings.ReplaceAll(c.Field, "conversion-file", "the conversion file")
	case update.ReasonProvided:
		text = fmt.Sprintf("%s is provided by %s now, and not by %s", name, ui.Escape(c.To), ui.Escape(c.From))
	case update.ReasonThrough:
		text = fmt.Sprintf("and so on through %d more", c.Links)
	case update.ReasonFailed:
		text = name + " should have been up"
	case update.ReasonDown:
		text = name + " was down"
	case update.ReasonNeeds, update.ReasonGained:
		text = edgeText(c)
	case update.ReasonDatabase:
		text = "the databases differ"
	default:
		text = string(c.What) + " " + name
	}
	return text + placeText(c)
}

// placeText says where the cause stands, and where it stood if that is elsewhere.
func placeText(c update.Cause) string {
	switch {
	case c.At == "":
		return ""
	case c.OldAt == "" || c.OldAt == c.At:
		return " (" + ui.Escape(c.At) + ")"
	}
	return " (" + ui.Escape(c.At) + ", was " + ui.Escape(c.OldAt) + ")"
}

func edgeText(c update.Cause) string {
	verb, _, _ := strings.Cut(c.Field, "/")
	text := fmt.Sprintf("%s %s %s", ui.Escape(c.Service), verb, ui.Escape(c.To))
	if c.What == update.ReasonGained {
		text = fmt.Sprintf("%s now %s %s", ui.Escape(c.Service), verb, ui.Escape(c.To))
	}
	return text
}

// fromTo shows values; digests say nothing to people.
func fromTo(c update.Cause) string {
	switch {
	case isDigest(c.From) || isDigest(c.To):
		return ""
	case c.From == "":
		return " to " + ui.Escape(c.To)
	case c.To == "":
		return ", was " + ui.Escape(c.From)
	}
	return fmt.Sprintf(" from %s to %s", ui.Escape(c.From), ui.Escape(c.To))
}

// isDigest says that a patch has a digest in the place of a value.
func isDigest(value string) bool { return strings.HasPrefix(value, "sha256:") }
