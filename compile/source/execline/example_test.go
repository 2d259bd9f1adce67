package execline_test

import (
	"fmt"

	"strata/compile/source/execline"
)

func ExampleParse() {
	argv, err := execline.Parse([]byte("# mounts the disk\nif { mount /data } echo \"all done\"\n"))
	fmt.Printf("%q %v\n", argv, err)
	// Output: ["if" " mount" " /data" "" "echo" "all done"] <nil>
}

func ExampleSyntaxError() {
	_, err := execline.Parse([]byte("if {\n  mount /data\n"))
	fmt.Println(err)
	// Output: 1:4: unmatched {
}
