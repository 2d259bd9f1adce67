package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"strata/live/journal"
	"strata/live/runner"
)

func Example() {
	dir, err := os.MkdirTemp("", "runner")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	l, err := runner.Listen(filepath.Join(dir, runner.SocketName))
	if err != nil {
		fmt.Println(err)
		return
	}
	server := runner.NewServer(runner.Config{Lookup: func(r runner.Request) (runner.Program, error) {
		return runner.Program{Argv: []string{"sh", "-c", "exit 7"}, Dir: dir}, nil
	}})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()

	client, err := runner.Dial(ctx, filepath.Join(dir, runner.SocketName))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Run(ctx, runner.Request{ID: "1", Service: "net", Phase: journal.PhaseUp}, nil)
	fmt.Println(result, err)
	client.Close()
	stop()
	fmt.Println(<-ended)
	// Output:
	// exit 7 <nil>
	// <nil>
}
