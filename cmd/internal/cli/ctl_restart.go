package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/explain"
)

func newCtlRestart(s ui.Streams, o *ctlOptions) *cobra.Command {
	var stale bool
	c := o.changeFlags(&cobra.Command{
		Use:   "restart NAME... | --stale [NAME...]",
		Short: "Stop services with what needs them, and bring all of that back",
		Long: `Stop services, with everything that needs them, and then start exactly what was
stopped. What is not up is left alone. If a stop fails, what was stopped is brought
back all the same.

With --stale the services are those, or those of the names, whose process is older than
their definition: after rc-update, which switches definitions without a restart where
it can.`,
		Example: `  rc-ctl restart web
  rc-ctl restart --stale -n      # what would be restarted`,
		Args: usageArgs(func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && !stale {
				return errors.New("name at least one service or bundle, or say --stale")
			}
			return nil
		}),
		RunE: func(_ *cobra.Command, args []string) error { return runRestart(s, *o, stale, args) },
	})
	c.Flags().BoolVar(&stale, "stale", false, "restart what is older than its definition")
	c.Flags().BoolVarP(&o.without, "essentials", "e", false, "restart essential services too")
	return c
}

func runRestart(s ui.Streams, o ctlOptions, stale bool, names []string) error {
	verb := "restart"
	if stale {
		verb = "restart --stale"
	}
	job, err := o.job(s, change.Request{Op: change.Restart, Essentials: o.without}, names, verb)
	if err != nil {
		return err
	}
	if stale {
		job.choose = func(session *tree.Session) ([]change.ID, error) {
			ids, err := tree.Resolve(session.View.DB, names)
			if err != nil {
				return nil, err
			}
			return slices.DeleteFunc(explain.Stale(session.View, session.States), func(id change.ID) bool {
				return len(names) > 0 && !slices.Contains(ids, id)
			}), nil
		}
	}
	return job.do()
}

func newCtlReload(s ui.Streams, o *ctlOptions) *cobra.Command {
	return o.changeFlags(&cobra.Command{
		Use:   "reload NAME...",
		Short: "Have services read their configuration again",
		Long: `Have services read their configuration again: a longrun gets its reload-signal, by
default SIGHUP, and of a oneshot the reload program is run. Only the services named are
reloaded, and all of them have to be up.

Nobody learns what a longrun makes of its signal.`,
		Example: `  rc-ctl reload web`,
		Args:    usageArgs(namesDue),
		RunE: func(_ *cobra.Command, args []string) error {
			return runChange(s, *o, change.Request{Op: change.Reload}, args, "reload")
		},
	})
}
