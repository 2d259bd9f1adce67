package live

import "strata/live/servicedir"

// ApplierCommand is the sub-command of the binary that the applier executes. It is
// followed by the real live directory.
const ApplierCommand = "applier"

// applierTree is the applier's service directory. One that ended well, whatever
// became of the patch, is not started again; one that was killed is, and goes on.
func applierTree(o internalOptions) servicedir.Tree {
	run := "#!/bin/sh\nexec 2>&1\nexec " + servicedir.Quote(o.program) + " " + ApplierCommand + " " + servicedir.Quote(o.real) + "\n"
	return servicedir.Tree{
		file("finish", 0o755, "#!/bin/sh\n[ \"$1\" != 0 ] || exit 125\n"),
		file("run", 0o755, run),
	}
}
