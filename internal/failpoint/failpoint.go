// Package failpoint lets a test stop a program at a named step.
//
// Code that must survive a kill at any moment takes [Hooks] and calls
// [Hooks.Hit] between its steps. Outside tests the hooks are nil and a hit costs
// a comparison. A test passes a function that returns an error, to see the step
// fail, or that ends the goroutine or the process, to see what a kill leaves.
package failpoint

// Hooks is called with the name of each step that has been reached. An error it
// returns is the step's.
type Hooks func(step string) error

// Hit reports that a step has been reached. Nil hooks let everything pass.
func (h Hooks) Hit(step string) error {
	if h == nil {
		return nil
	}
	return h(step)
}
