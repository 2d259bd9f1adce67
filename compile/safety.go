package compile

import (
	"strata/internal/diag"
)

// checkSafety warns of sources that others than root and the caller can write to:
// they decide what runs as the user that compiles. With Strict it is an error, but
// for s6-rc's names, which know no such rule.
func (c *compiler) checkSafety() {
	for _, w := range c.set.Writable {
		report := c.list.Warnf
		if c.options.Strict && !c.options.S6RC {
			report = c.list.Errorf
		}
		d := report("writable-by-others", diag.Position{File: w.Path}, "it is writable by %s", w.By)
		if w.Definitions > 1 {
			d.Message += ", and so are files of other definitions of this source"
		}
		d.Hint = "whoever can write here decides what runs: see to the owner and the mode"
	}
}
