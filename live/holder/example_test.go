package holder_test

import (
	"fmt"

	"strata/live"
	"strata/live/holder"
)

// Whoever wants to know which pipe leads into a longrun finds it noted, by its
// inode: readlink sv/2/pipes/16 says "pipe:[71234]", and ls -l /proc/PID/fd the
// same of each process that has it.
func ExampleRecordPath() {
	var d live.Dir // as seen from the live directory itself
	fmt.Println(holder.RecordPath(&d, live.FirstSlot))
	// Output: sv/2/pipes/16
}
