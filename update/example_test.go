package update_test

import (
	"fmt"
	"os"
	"path/filepath"

	"strata/compile/db"
	"strata/graph"
	"strata/update"
)

// compiled writes a database with one longrun, web, that runs a script.
func compiled(dir, script string) (*db.DB, error) {
	blobs := db.Blobs{}
	none, err := graph.New(1, nil)
	if err != nil {
		return nil, err
	}
	levels, err := none.Levels()
	if err != nil {
		return nil, err
	}
	web := db.Service{
		Name: "web", Type: db.Longrun, Consumer: db.None, Run: db.Program{Form: db.Script, Script: blobs.Add([]byte(script))},
		Origin: db.Origin{Label: "admin", Path: "web/run"},
	}
	path := filepath.Join(dir, fmt.Sprint(len(script)))
	if _, err := db.Write(path, &db.Model{Services: []db.Service{web}, Needs: none, Wants: none, Soft: none, Levels: levels, Blobs: blobs}, db.WriteOptions{}); err != nil {
		return nil, err
	}
	return db.Open(path)
}

// A patch says what would be done, and why.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	old, err1 := compiled(dir, "#!/bin/sh\nexec web\n")
	next, err2 := compiled(dir, "#!/bin/sh\nexec web --verbose\n")
	if err1 != nil || err2 != nil {
		fmt.Println(err1, err2)
		return
	}
	changes, err := update.Diff(old, next, update.Conversions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	isUp := update.State{Up: []bool{true}, Stopped: []bool{false}}
	patch, err := update.Plan(changes, isUp, update.Options{Policy: update.Definition})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range patch.Actions {
		fmt.Println(a.Phase, a.Op, "because", a.Because[0].What)
	}
	fmt.Println("up afterwards:", patch.After.Up)
	// Output:
	// stop stop because changed
	// switch define because changed
	// switch switch because database
	// start start because changed
	// up afterwards: [web]
}
