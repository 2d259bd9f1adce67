package tree_test

import (
	"fmt"

	"strata/live/change/tree"
)

func ExampleNameError() {
	fmt.Println(&tree.NameError{Names: []string{"wbe"}})
	// Output: there is no service or bundle wbe
}
