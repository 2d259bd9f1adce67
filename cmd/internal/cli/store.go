package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/update/generation"
)

// storeOptions are those of rc-store.
type storeOptions struct {
	path, live string
	keep       int
	boot, json bool
}

func newStoreCommand(s ui.Streams) *cobra.Command {
	var o storeOptions
	c := &cobra.Command{
		Use:   "rc-store [--store DIR] [-l LIVE] COMMAND",
		Short: "The installed databases: list them, install one for the next boot, remove old ones",
		Long: `The store of installed databases, the generations: files named by the digest of
what they contain, and the link current, which the next boot follows.

On a running machine a generation is installed with rc-update --install, and gone
back from with rc-update --rollback: current moves when what runs has been changed.
The commands here change the store alone, for images, chroots and boot scripts.`,
		Example: `  rc-store list
  rc-store --store /mnt/etc/strata/compiled install new.db
  rc-store rollback --boot`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return usagef("which command? rc-store --help lists them") },
	}
	f := c.PersistentFlags()
	registerStore(f, &o.path)
	f.StringVarP(&o.live, "live", "l", defaultLive, "the live directory `LIVE` that follows the store, if there is one")
	c.AddCommand(newStoreListCommand(s, &o), newStoreInstallCommand(s, &o), newStoreRollbackCommand(s, &o), newStoreCollectCommand(s, &o))
	for _, sub := range c.Commands() {
		describeExits(sub, exitOK, exitUnknown, exitInvalid, exitUsage, exitSystem)
	}
	return describeExits(c, exitOK, exitUnknown, exitInvalid, exitUsage, exitSystem)
}

func newStoreInstallCommand(s ui.Streams, o *storeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "install [--boot] DB",
		Short: "Put a database into the store and make it current, where nothing runs",
		Long: `Put a database into the store and make it current.

Where a live directory is in use this is refused: there is rc-update --install. With
--boot it is done all the same, and counts from the next boot on.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return o.change(s, func(store generation.Store) (*db.DB, *generation.Move, error) {
				if err := trustDatabase(s, args[0]); err != nil {
					return nil, nil, err
				}
				d, err := db.Open(args[0])
				if err != nil {
					return nil, nil, err
				}
				m, err := store.Installing(d.Content(), o.keep)
				return d, m, err
			})
		},
	}
	o.changing(c)
	return c
}

func newStoreRollbackCommand(s ui.Streams, o *storeOptions) *cobra.Command {
	steps := stepsFlag{n: 1}
	c := &cobra.Command{
		Use:   "rollback [--boot] [N]",
		Short: "Make the generation current that was it N steps before, where nothing runs",
		Long: `Make the generation current that was current N steps before, 1 if no N is given.

Where a live directory is in use this is refused: there is rc-update --rollback. With
--boot it is done all the same, and counts from the next boot on.`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				if err := steps.Set(args[0]); err != nil || steps.n == 0 {
					return usagef("want how many generations to go back, and not %q", args[0])
				}
			}
			return o.change(s, func(store generation.Store) (*db.DB, *generation.Move, error) {
				m, to, err := store.GoingBack(steps.n, o.keep)
				if err != nil {
					return nil, nil, err
				}
				d, err := store.Open(to)
				return d, m, err
			})
		},
	}
	o.changing(c)
	return c
}

func (o *storeOptions) changing(c *cobra.Command) {
	c.Flags().BoolVar(&o.boot, "boot", false, "for the next boot, though a live directory is in use that goes on as it is")
	registerKept(c.Flags(), &o.keep)
}

// change moves current alone.
func (o *storeOptions) change(s ui.Streams, plan func(generation.Store) (*db.DB, *generation.Move, error)) (err error) {
	defer func() { err = updateError(err) }()
	store, used, err := o.open(s)
	if err != nil {
		return err
	}
	running, err := generation.Running(o.live)
	switch {
	case err != nil:
		return err
	case running && !o.boot:
		return usagef("cannot change what %s follows while it is in use: rc-update --install and --rollback change both, --boot changes the store alone", o.live)
	}
	d, m, err := plan(store)
	if d != nil {
		defer func() { err = errors.Join(err, d.Close()) }()
	}
	if err != nil {
		return err
	}
	if err := m.Alone(d, used); err != nil {
		return err
	}
	s.Printf("%s\n", ui.Escape(moveText(m)))
	return nil
}

// open is the store, and what must stay in it.
func (o *storeOptions) open(s ui.Streams) (generation.Store, []db.Digest, error) {
	if o.keep < 0 {
		return generation.Store{}, nil, usagef("--generations wants a number, or 0 for all")
	}
	store, err := openStore(s, o.path)
	if err != nil {
		return store, nil, err
	}
	used, err := generation.Uses(o.live)
	return store, used, err
}

func newStoreCollectCommand(s ui.Streams, o *storeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "collect",
		Short: "Remove old generations",
		Long: `Remove generations until at most --generations of them are left: first files that were
never current, then what was gone back from, then the oldest. What is current stays, and
what the live directory has, of a half-applied update both databases.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			store, used, err := o.open(s)
			if err != nil {
				return updateError(err)
			}
			if _, err := store.Read(); err != nil {
				return updateError(err) // before a lock is made in what is no store
			}
			removed, err := store.Collect(used, o.keep)
			for _, d := range removed {
				s.Printf("removed %s\n", d)
			}
			return updateError(err)
		},
	}
	registerKept(c.Flags(), &o.keep)
	return c
}
