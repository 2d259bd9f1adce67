package failpoint_test

import (
	"errors"
	"fmt"
	"testing"

	"strata/internal/failpoint"
)

func ExampleHooks() {
	save := func(h failpoint.Hooks) error {
		if err := h.Hit("before rename"); err != nil {
			return fmt.Errorf("cannot save: %w", err)
		}
		return nil
	}
	fmt.Println(save(nil))
	fmt.Println(save(func(step string) error { return errors.New("stopped " + step) }))
	// Output:
	// <nil>
	// cannot save: stopped before rename
}

func TestNilHooks(t *testing.T) {
	if err := failpoint.Hooks(nil).Hit("x"); err != nil {
		t.Errorf("nil hooks: %v", err)
	}
}
