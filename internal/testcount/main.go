package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	// An interrupt from the terminal reaches go test by itself, and then this
	// program reports how far it came.
	signal.Ignore(os.Interrupt, syscall.SIGQUIT)
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "testcount: cannot run go test: %v\n", err)
		return 1
	}
	c := newCounter(os.Stdout)
	readErr := c.read(stdout)
	err = cmd.Wait()
	t := c.totals()
	t.print(os.Stdout)
	if err != nil || readErr != nil || t.failed > 0 {
		return 1
	}
	return 0
}

// read takes a stream of events. A line that is not one is passed on.
func (c *counter) read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				c.add(e)
			} else {
				_, _ = c.out.Write(line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read the output of go test: %w", err)
		}
	}
}
