package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live/servicedir"
)

func newDBUnpackCommand(s ui.Streams, o *dbOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "unpack DIR",
		Short: "Write the longruns' service directories into a new directory",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return o.use(func(d *db.DB) error {
				n, err := unpack(d, args[0])
				if err != nil || !o.json {
					return err
				}
				return s.JSON(struct {
					Format      string `json:"format"`
					Directory   text   `json:"directory"`
					Servicedirs int    `json:"servicedirs"`
				}{dbFormat, text(args[0]), n})
			})
		},
	}
}

// unpack writes the service directory of each longrun to dir/NAME, as s6-rc's
// compiler would. dir must not exist; on an error it is removed again. What not
// everybody could read in the sources, not everybody can read in dir.
func unpack(d *db.DB, dir string) (n int, err error) {
	mode := os.FileMode(0o755)
	if d.Private() {
		mode = 0o700
	}
	if err := os.Mkdir(dir, mode); err != nil {
		return 0, fmt.Errorf("cannot unpack: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	for id := range db.ServiceID(d.Len()) {
		if d.Type(id) != db.Longrun {
			continue
		}
		svc, err := d.Service(id)
		if err != nil {
			return 0, err
		}
		tree, err := servicedir.Render(svc, s6rcPipes(d, id), d.Blob, servicedir.S6RC)
		if err != nil {
			return 0, err
		}
		target := filepath.Join(dir, svc.Name)
		if err := os.Mkdir(target, 0o755); err != nil {
			return 0, fmt.Errorf("cannot unpack: %w", err)
		}
		if err := servicedir.Write(target, tree); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// s6rcPipes are a longrun's pipes by the names that s6-rc gives them: a pipe is
// called after its consumer.
func s6rcPipes(d *db.DB, id db.ServiceID) servicedir.Pipes {
	var p servicedir.Pipes
	if d.HasProducers(id) {
		p.Read = "pipe:s6rc-r-" + d.Name(id)
	}
	if to := d.Consumer(id); to != db.None {
		p.Write = "pipe:s6rc-w-" + d.Name(to)
	}
	if p.Read != "" || p.Write != "" {
		p.Socket = "../s6rc-fdholder/s"
	}
	return p
}
