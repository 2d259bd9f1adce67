package tree

import "time"

// SetPatience sets how long a supervisor may take to appear.
func (s *Supervisor) SetPatience(d time.Duration) { s.patience = d }
