package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// version is what the databases we write name as their maker. The linker sets it.
var version = "devel"

// exitTexts are the meanings of the exit codes, as each tool's help shows them.
var exitTexts = map[int]string{
	exitOK:                        "done",
	exitFailed:                    "a transition failed, a source is wrong, or things differ",
	exitTimeout:                   "timed out",
	exitUnknown:                   "unknown name",
	exitInvalid:                   "invalid or corrupt database, live directory or patch",
	exitWrongType:                 "the service has the wrong type for this command",
	exitDuplicate:                 "duplicate in the conversion file",
	exitFailed + exitNotSwitched:  "a transition failed and the switch was not made",
	exitTimeout + exitNotSwitched: "timed out and the switch was not made",
	exitUsage:                     "wrong usage",
	exitSystem:                    "system error",
}

// describeExits adds the exit codes a tool can end with to its help.
func describeExits(c *cobra.Command, codes ...int) *cobra.Command {
	var b strings.Builder
	b.WriteString("\n\nExit codes:")
	for _, code := range codes {
		fmt.Fprintf(&b, "\n  %3d  %s", code, exitTexts[code])
	}
	if c.Long == "" {
		c.Long = c.Short + "."
	}
	c.Long += b.String()
	return c
}
