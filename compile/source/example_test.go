package source_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"strata/compile/source"
)

func ExampleRead() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"network.toml": "type = \"oneshot\"\nup = [\"ifup\", \"-a\"]\n",
		"web.toml":     "type = \"longrun\"\nneed = [\"network\"]\nrun = [\"httpd\", \"-f\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			panic(err)
		}
	}
	set, diags := source.Read(context.Background(), []source.Dir{{Path: dir}}, source.Options{})
	for _, d := range set.Definitions {
		fmt.Println(d.Name, d.Kind, len(d.Needs))
	}
	for _, d := range diags {
		fmt.Printf("%s:%d:%d: %s: %s; %s\n", filepath.Base(d.Pos.File), d.Pos.Line, d.Pos.Column, d.Severity, d.Message, d.Hint)
	}
	// Output:
	// network oneshot 0
	// web longrun 0
	// web.toml:2:1: error: web: unknown key "need"; did you mean needs?
}
