package live

import "strata/live/servicedir"

// ApplierCommand is the sub-command of the binary that the applier executes. It is
// followed by the real live directory.
const ApplierCommand = "applier"

// applierTree is the applier's service directory. One that has ended, whatever became of
// the patch, has told its supervisor so; one that was killed is started again, and goes
// on.
func applierTree(o internalOptions) servicedir.Tree {
	run := "#!/bin/sh\nexec 2>&1\nexec " + servicedir.Quote(o.program) + " " + ApplierCommand + " " + servicedir.Quote(o.real) + "\n"
	return servicedir.Tree{
		file("run", 0o755, run),
	}
}
