package db_test

import (
	"fmt"
	"os"
	"path/filepath"

	"strata/compile/db"
	"strata/graph"
)

// A model is written, and read back by name.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	// Services are sorted by name; a ServiceID is an index.
	m := &db.Model{Blobs: db.Blobs{}}
	run := m.Blobs.Add([]byte("#!/bin/sh\nexec sshd -D -e\n"))
	m.Services = []db.Service{
		{Name: "network", Type: db.Oneshot, Up: db.Program{Form: db.Argv, Argv: []string{"ifup", "-a"}}, Consumer: db.None},
		{Name: "sshd", Type: db.Longrun, Run: db.Program{Form: db.Script, Script: run}, Consumer: db.None},
	}
	m.Bundles = []db.Bundle{{Name: "default", Contents: []db.ServiceID{0, 1}}}
	if m.Needs, err = graph.New(2, []graph.Edge{{From: 1, To: 0}}); err != nil {
		fmt.Println(err)
		return
	}
	if m.Levels, err = m.Needs.Levels(); err != nil {
		fmt.Println(err)
		return
	}
	path := filepath.Join(dir, "services.db")
	if _, err := db.Write(path, m, db.WriteOptions{Tool: "example 1"}); err != nil {
		fmt.Println(err)
		return
	}

	d, err := db.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	ref, _ := d.Lookup("sshd")
	svc, err := d.Service(ref.Service)
	if err != nil {
		fmt.Println(err)
		return
	}
	script, err := d.Blob(svc.Run.Script)
	if err != nil {
		fmt.Println(err)
		return
	}
	members, _ := d.Resolve("default")
	fmt.Printf("%s is a %s, level %d\n", svc.Name, svc.Type, d.Levels().Of(ref.Service))
	fmt.Println("needs:", d.Names(d.Needs().Out(ref.Service), false))
	fmt.Println("default:", d.Names(members, false))
	fmt.Printf("%s", script)
	// Output:
	// sshd is a longrun, level 1
	// needs: [network]
	// default: [network sshd]
	// #!/bin/sh
	// exec sshd -D -e
}
