package servicedir_test

import (
	"fmt"

	"strata/compile/db"
	"strata/live/servicedir"
)

func ExampleRender() {
	svc := &db.Service{
		Name: "web", Type: db.Longrun,
		Run:            db.Program{Form: db.Argv, Argv: []string{"httpd", "-r", "/srv/my site"}},
		NotificationFD: db.Uint{Set: true, Value: 3},
		Exec:           db.Exec{User: "www-data"},
	}
	blobs := db.Blobs{}
	get := func(d db.Digest) ([]byte, error) { return blobs[d], nil }
	tree, err := servicedir.Render(svc, servicedir.Pipes{}, get, servicedir.Live)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range tree {
		fmt.Printf("%s %04o\n%s", f.Path, f.Mode, f.Content)
	}
	// Output:
	// notification-fd 0644
	// 3
	// run 0755
	// #!/bin/sh
	// exec s6-setuidgid www-data httpd -r '/srv/my site'
}
