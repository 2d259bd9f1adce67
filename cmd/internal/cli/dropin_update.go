package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"strata/cmd/internal/ui"
	"strata/update"
)

const s6rcUpdateUsage = "s6-rc-update [ -n ] [ -v verbosity ] [ -t timeout ] [ -l live ] [ -f conversion_file ] [ -E | -e ] [ -b ] newdb"

// s6rcUpdateOptions are the options of s6-rc-update.
type s6rcUpdateOptions struct {
	dry, block, force             bool
	verbosity, timeout            int
	live, conversions, verb, time string
}

// s6rcUpdate is s6-rc-update. Its dry run prints its two lines itself; internal
// services are not in them.
func s6rcUpdate(s ui.Streams, args []string) error {
	o := s6rcUpdateOptions{live: s6rcLive, verb: "1", time: "0"}
	args, err := s6rcOptions{
		bools: []s6rcBool{
			{'n', "dry-run", func() { o.dry = true }},
			{'b', "block", func() { o.block = true }},
			{'E', "no-force-essentials", func() { o.force = false }},
			{'e', "force-essentials", func() { o.force = true }},
		},
		args: []s6rcArg{
			{'v', "verbosity", &o.verb},
			{'t', "timeout", &o.time},
			{'l', "livedir", &o.live},
			{'f', "conversion-file", &o.conversions},
		},
	}.parse(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usagef("usage: %s", s6rcUpdateUsage)
	}
	newdb := args[0]
	if o.verbosity, err = s6rcUint("verbosity", o.verb); err != nil {
		return err
	}
	if o.timeout, err = s6rcUint("timeout", o.time); err != nil {
		return err
	}
	for _, path := range []string{o.live, newdb} {
		if !filepath.IsAbs(path) {
			return usagef("%s is not an absolute path", path)
		}
	}
	conv, err := readConversions(o.conversions)
	if err != nil {
		return err
	}
	plan := update.Options{Policy: update.Identity, ForceEssentials: o.force}
	if o.dry {
		p, err := dryUpdate(o.live, newdb, conv, plan)
		if err != nil {
			return updateError(err)
		}
		o.print(s, p)
		return nil
	}
	return o.apply(s, newdb, conv, plan)
}

func (o s6rcUpdateOptions) apply(s ui.Streams, newdb string, conv update.Conversions, plan update.Options) error {
	tell := s6rcTell{s, o.verbosity, false}
	job := updateJob{
		s: s, live: o.live, newdb: newdb, conv: conv, plan: plan, block: o.block, cause: s.Tool,
		limit: time.Duration(o.timeout) * time.Millisecond, moved: tell.observe,
		planned: func(p *update.Patch) {
			for _, text := range p.Warnings {
				if o.verbosity >= 1 {
					s.Warnf("%s", ui.Escape(text))
				}
			}
			if o.verbosity >= 2 {
				tell.info("stopping services in the old database")
			}
		},
		observe: func(a update.Action) {
			if o.verbosity >= 2 && a.Op == update.OpSwitch {
				tell.info("successfully switched to new database")
			}
		},
		warn: func(err error) {
			if o.verbosity >= 1 {
				s.Warnf("%s", ui.ErrorText(err))
			}
		},
	}
	if o.verbosity >= 2 {
		tell.info("computing state adjustments")
	}
	outliveReaders()
	_, r, err := job.run()
	if err != nil {
		return updateError(err)
	}
	if o.verbosity >= 1 && !r.OK() {
		for _, err := range r.Trouble {
			s.Warnf("%s", ui.ErrorText(err))
		}
		if !r.Switched {
			s.Warnf("the database was not switched")
		}
	}
	return resultCode(r)
}

// print writes the two lines of a dry run, as s6-rc-dryrun does.
func (o s6rcUpdateOptions) print(s ui.Streams, p *update.Patch) {
	if o.verbosity == 0 {
		return
	}
	down := "-d"
	if o.force {
		down = "-D"
	}
	for _, line := range []struct {
		direction string
		names     []string
	}{{down, p.S6RC.Stop}, {"-u", p.S6RC.Start}} {
		words := append([]string{fmt.Sprintf("s6-rc-dryrun: s6-rc -v %d -t %d -l %s %s -- change", o.verbosity, o.timeout, o.live, line.direction)}, line.names...)
		s.Printf("%s\n", ui.Escape(strings.Join(words, " ")))
	}
}
