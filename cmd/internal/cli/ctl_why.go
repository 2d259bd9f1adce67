package cli

import (
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/live/change"
	"strata/live/explain"
)

// whyFormat is the version of what rc-ctl why prints as JSON.
const whyFormat = "strata-why/1"

func newCtlWhy(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "why SERVICE...",
		Short: "Say why services are up or down, or what they wait for",
		Long: `Say why services are up or down: the chain of causes that leads to the command
that started or stopped them, to what failed, or to who found them so; of a service
that waits, what it waits for, down to what is being done now.`,
		Example: `  rc-ctl why web
  rc-ctl why --json web | jq '.services[0].chain[-1]'`,
		Args: usageArgs(namesDue),
		RunE: func(_ *cobra.Command, args []string) error { return runWhy(s, o, args) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document, format "+whyFormat)
	return c
}

func runWhy(s ui.Streams, o *ctlOptions, args []string) error {
	v, ids, sc, err := o.lookAt(args)
	if err != nil {
		return err
	}
	defer v.close()
	if o.json {
		return s.JSON(newWhy(sc, ids))
	}
	var lines []string
	for _, id := range ids {
		for i, line := range sc.Sentences(sc.Why(id)) {
			if i > 0 {
				line = "  " + line
			}
			lines = append(lines, ui.Escape(line))
		}
	}
	return s.Lines(lines)
}

// whyJSON is the document: a chain for each service that was asked about.
type whyJSON struct {
	Format   string           `json:"format"`
	Services []whyServiceJSON `json:"services"`
}

type whyServiceJSON struct {
	Name  text       `json:"name"`
	Chain []linkJSON `json:"chain"`
}

// linkJSON is one link. The next one is about the service by, if there is a next one.
type linkJSON struct {
	Service   text       `json:"service"`
	State     string     `json:"state"`
	Reason    string     `json:"reason"`
	At        *time.Time `json:"at,omitempty"`
	By        text       `json:"by,omitempty"`
	Command   text       `json:"command,omitempty"`
	Cause     text       `json:"cause,omitempty"`
	Detail    text       `json:"detail,omitempty"`
	Trouble   text       `json:"trouble,omitempty"`
	Doing     *doingJSON `json:"doing,omitempty"`
	Wanted    bool       `json:"wanted"`
	Essential bool       `json:"essential,omitempty"`
	NeededBy  []text     `json:"needed_by,omitempty"`
}

func newWhy(sc *explain.Scene, ids []change.ID) whyJSON {
	out := whyJSON{Format: whyFormat, Services: []whyServiceJSON{}}
	for _, id := range ids {
		sv := whyServiceJSON{Name: text(sc.Services[id].Name)}
		for _, l := range sc.Why(id) {
			sv.Chain = append(sv.Chain, newLink(sc, l))
		}
		out.Services = append(out.Services, sv)
	}
	return out
}

func newLink(sc *explain.Scene, l explain.Link) linkJSON {
	out := linkJSON{
		Service: text(l.Name), State: string(l.State), Reason: string(l.Reason), At: known(l.At), By: text(l.ByName),
		Command: text(l.Command), Cause: text(l.Cause), Detail: text(l.Detail), Trouble: text(l.Trouble),
		Doing: newDoing(sc, l.Wait), Wanted: l.Wanted, Essential: l.Essential,
	}
	for _, id := range l.NeededBy {
		out.NeededBy = append(out.NeededBy, text(sc.Services[id].Name))
	}
	return out
}
