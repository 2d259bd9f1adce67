package linediff_test

import (
	"fmt"

	"strata/internal/linediff"
)

func ExampleUnified() {
	for _, line := range linediff.Unified("#!/bin/sh\nexec web\n", "#!/bin/sh\nexec web -v\n") {
		fmt.Println(line)
	}
	// Output:
	// @@ -1,2 +1,2 @@
	//  #!/bin/sh
	// -exec web
	// +exec web -v
}
