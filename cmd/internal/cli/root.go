// Package cli holds the tools' command lines: flags, texts and exit codes, one
// file a command. What the commands do stands in the packages they call.
package cli

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
)

// tool is one program of the multi-call binary.
type tool struct {
	// link is the name of the link that calls it, verb the sub-command of
	// strata that is the same.
	link, verb string
	command    func(ui.Streams) *cobra.Command
}

// tools are our own programs, as users meet them.
func tools() []tool {
	return []tool{
		{"rc-compile", "compile", newCompileCommand},
		{"rc-db", "db", newDBCommand},
		{"rc-init", "init", newInitCommand},
		{"rc-ctl", "ctl", newCtlCommand},
		{"rc-diff", "diff", newDiffCommand},
		{"rc-update", "update", newUpdateCommand},
		{"rc-store", "store", newStoreCommand},
	}
}

// dropins are s6-rc's names. They parse their own command lines as s6-rc does.
func dropins() map[string]func(s ui.Streams, args []string) error {
	return map[string]func(ui.Streams, []string) error{
		"s6-rc-compile": s6rcCompile,
		"s6-rc-db":      s6rcDB,
		"s6-rc-init":    s6rcInit,
		"s6-rc":         s6rcChange,
		"s6-rc-update":  s6rcUpdate,
	}
}

// Main runs the tool that args[0] names and returns its exit code.
func Main(args []string) int {
	name := filepath.Base(args[0])
	s := ui.Standard(name)
	return finish(s, run(s, name, args[1:]))
}

func run(s ui.Streams, name string, args []string) error {
	if internal, err := runInternal(args); internal {
		return err
	}
	if dropin, ok := dropins()[name]; ok {
		return dropin(s, args)
	}
	if instead, ok := absentPrograms[name]; ok {
		return s6rcAbsent(name, instead)
	}
	for _, t := range tools() {
		if t.link == name {
			return execute(t.command(s), args)
		}
	}
	return execute(newRootCommand(s, args), args)
}

// newRootCommand is strata itself, with each tool as a sub-command; with only the one
// that the arguments begin with, if they do.
func newRootCommand(s ui.Streams, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "strata",
		Short: "Compile service definitions, bring services up and down, and update them on a running machine",
		RunE: func(*cobra.Command, []string) error {
			return usagef("say which tool; strata --help lists them")
		},
	}
	all := tools()
	if i := slices.IndexFunc(all, func(t tool) bool { return len(args) > 0 && t.verb == args[0] }); i >= 0 {
		all = all[i : i+1] // to make the others costs as much as to read 100 services' states
	}
	for _, t := range all {
		sub := s
		sub.Tool = t.link
		c := t.command(sub)
		c.Use = t.verb + strings.TrimPrefix(c.Use, t.link)
		root.AddCommand(c)
	}
	return root
}

// execute runs a command tree with every mistake on the command line as a usage
// error, and with nothing printed that finish does not print.
func execute(c *cobra.Command, args []string) error {
	c.SetArgs(args)
	c.SilenceErrors, c.SilenceUsage, c.DisableSuggestions = true, true, true
	c.CompletionOptions.HiddenDefaultCmd = true
	c.CompletionOptions.DisableDefaultCmd = !slices.Contains(args, "completion") // to make it takes a while
	c.Version = version
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return withCode(exitUsage, err) })
	err := c.Execute()
	if err != nil && strings.HasPrefix(err.Error(), "unknown command") {
		return withCode(exitUsage, err)
	}
	return err
}

// finish prints the error a tool ended with and returns its exit code.
func finish(s ui.Streams, err error) int {
	if err != nil && !errors.Is(err, errSilent) {
		s.Errorf("%s", ui.ErrorText(err))
	}
	return codeOf(err)
}

// usageArgs makes an argument check end with the usage code, and with the usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		err := check(c, args)
		if err == nil {
			return nil
		}
		return usagef("%w; usage: %s", err, strings.TrimSuffix(c.UseLine(), " [flags]"))
	}
}
