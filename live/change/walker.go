package change

import (
	"context"
	"slices"
	"time"

	"strata/live/journal"
)

// walker walks the steps of a phase. One goroutine, that of walk, owns
// everything in it; each step under way has another one, which only speaks to the
// supervisor.
type walker struct {
	r     *run
	phase Phase
	steps []walk
	// hard and soft hold, by step, the steps that wait for it.
	hard, soft adjacency
	ready      []int32 // in the order in which they became ready
	settled    []int32 // whose waiters have not been told yet
	running    int
	quit       bool
	results    chan outcome
}

// walk is one step on its way.
type walk struct {
	state   State
	waits   int32 // for how many steps
	settled bool
	noop    bool
	began   time.Time
	// timing is the step's place in the result's list, if it was begun and has
	// ended; after is that of what it waited for last. -1 is none.
	timing, after int
}

// outcome is how a step ended.
type outcome struct {
	step int32
	err  error
}

// adjacency is a list of lists in two arrays.
type adjacency struct {
	off []int32
	to  []int32
}

func (a adjacency) of(i int32) []int32 { return a.to[a.off[i]:a.off[i+1]] }

// waiters turns "waits for" round.
func waiters(steps []Step, list func(*Step) []int32) adjacency {
	a := adjacency{off: make([]int32, len(steps)+1)}
	for i := range steps {
		for _, j := range list(&steps[i]) {
			a.off[j+1]++
		}
	}
	for i := range steps {
		a.off[i+1] += a.off[i]
	}
	a.to = make([]int32, a.off[len(steps)])
	next := append([]int32(nil), a.off...)
	for i := range steps {
		for _, j := range list(&steps[i]) {
			a.to[next[j]] = int32(i)
			next[j]++
		}
	}
	return a
}

func newWalker(r *run, ph Phase) *walker {
	w := &walker{
		r: r, phase: ph, steps: make([]walk, len(ph.Steps)), results: make(chan outcome),
		hard: waiters(ph.Steps, func(s *Step) []int32 { return s.Hard }),
		soft: waiters(ph.Steps, func(s *Step) []int32 { return s.Soft }),
	}
	for i := range ph.Steps {
		s := &ph.Steps[i]
		state := r.now(s.Service, ph.Op)
		w.steps[i] = walk{
			state: state, waits: int32(len(s.Hard) + len(s.Soft)), noop: s.Noop || ph.Back && state == Up,
			timing: -1, after: r.last,
		}
		if w.steps[i].waits == 0 {
			w.ready = append(w.ready, int32(i))
		}
	}
	return w
}

// walk goes on until all steps are settled, or nothing is under way and nothing
// more may begin.
func (w *walker) walk(ctx context.Context) error {
	// Programs of oneshots are waited for when ctx has ended, until told not to.
	oneshots, abandon := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abandon(nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop, giveUp := ctx.Done(), w.r.env.Abandon
	for {
		if err := w.launch(ctx, oneshots); err != nil {
			cancel()
			return w.drain(abandon, err)
		}
		if w.running == 0 {
			break
		}
		select {
		case o := <-w.results:
			w.running--
			if err := w.end(o); err != nil {
				cancel()
				return w.drain(abandon, err)
			}
		case <-stop:
			if !w.quit {
				w.beginQuit(context.Cause(ctx))
			}
			stop = nil
		case <-giveUp:
			abandon(ErrAbandoned)
			giveUp = nil
		}
	}
	return w.finish()
}

// drain waits for what is under way after a mistake of the engine.
func (w *walker) drain(abandon context.CancelCauseFunc, err error) error {
	abandon(ErrAbandoned)
	for ; w.running > 0; w.running-- {
		<-w.results
	}
	return err
}

// launch begins what can begin.
func (w *walker) launch(ctx, oneshots context.Context) error {
	if !w.quit && ctx.Err() != nil {
		w.beginQuit(context.Cause(ctx))
	}
	for {
		w.tellWaiters()
		if len(w.ready) == 0 || w.quit {
			return nil
		}
		i := w.ready[0]
		s := &w.phase.Steps[i]
		noop := w.steps[i].noop
		if !noop && w.r.env.MaxParallel > 0 && w.running >= w.r.env.MaxParallel {
			return nil
		}
		w.ready = w.ready[1:]
		t := w.r.env.Targets(s.Service)
		cause := w.r.cause(w.phase.Op, *s)
		if noop {
			w.r.observe(Event{Kind: Already, Op: w.phase.Op, Target: t, Because: cause})
			w.settle(i)
			continue
		}
		move, _ := w.phase.Op.begin()
		to, err := w.steps[i].state.After(move)
		if err != nil {
			return &TransitionError{Service: t.Name, From: w.steps[i].state, Move: move}
		}
		w.steps[i].state, w.steps[i].began = to, time.Now()
		w.r.observe(Event{Kind: Began, Op: w.phase.Op, Target: t, Because: cause})
		w.running++
		go func() {
			w.results <- outcome{i, w.r.move(ctx, oneshots, w.phase.Op, t, cause)}
		}()
	}
}

// end takes note of the end of a step.
func (w *walker) end(o outcome) error {
	s, walk := w.phase.Steps[o.step], &w.steps[o.step]
	timing := Timing{
		Target: w.r.env.Targets(s.Service), Op: w.phase.Op, Began: walk.began, Ended: time.Now(), After: walk.after,
	}
	var held []int32
	if o.err != nil {
		held = w.waitInVain(o.step)
	}
	walk.timing = len(w.r.result.Timings)
	to, err := w.r.finished(w.phase.Op, walk.state, s, timing, w.targets(held), o.err)
	if err != nil {
		return err
	}
	walk.state = to
	w.skip(held, timing.Target)
	// The runner's clock may be a moment ahead of ours.
	if whole(o.err) && !w.quit {
		w.beginQuit(o.err)
	}
	w.settle(o.step)
	return nil
}

// settle marks a step as ended; its waiters are told later, without recursion.
func (w *walker) settle(i int32) {
	w.steps[i].settled = true
	w.settled = append(w.settled, i)
}

// tellWaiters counts down what waits for the steps that have ended.
func (w *walker) tellWaiters() {
	for len(w.settled) > 0 {
		i := w.settled[0]
		w.settled = w.settled[1:]
		for _, list := range [...][]int32{w.hard.of(i), w.soft.of(i)} {
			for _, j := range list {
				w.steps[j].waits--
				if w.steps[j].waits == 0 && !w.steps[j].settled {
					w.steps[j].after = w.lastOf(i)
					w.ready = append(w.ready, j)
				}
			}
		}
	}
}

// lastOf is the timing that whoever waited for a step has waited for: the step's
// own, or, if it did nothing, that of what it waited for.
func (w *walker) lastOf(i int32) int {
	if t := w.steps[i].timing; t >= 0 {
		return t
	}
	return w.steps[i].after
}

// waitInVain finds all that need a failed step, near and far, and have not ended.
func (w *walker) waitInVain(failed int32) []int32 {
	var found []int32
	seen := map[int32]bool{failed: true}
	for queue := []int32{failed}; len(queue) > 0; queue = queue[1:] {
		for _, j := range w.hard.of(queue[0]) {
			if !w.steps[j].settled && !seen[j] {
				seen[j] = true
				found = append(found, j)
				queue = append(queue, j)
			}
		}
	}
	slices.Sort(found)
	return found
}

// targets are the services of steps that would have done something.
func (w *walker) targets(steps []int32) []Target {
	var list []Target
	for _, i := range steps {
		if !w.steps[i].noop {
			list = append(list, w.r.env.Targets(w.phase.Steps[i].Service))
		}
	}
	return list
}

// skip ends steps that need one that failed. They count as ended for those that
// only wait for them.
func (w *walker) skip(steps []int32, failed Target) {
	var events []journal.Event
	_, phase := w.phase.Op.begin()
	for _, i := range steps {
		w.settle(i)
		if w.steps[i].noop {
			continue
		}
		t := w.r.env.Targets(w.phase.Steps[i].Service)
		w.r.result.Skipped = append(w.r.result.Skipped, Skip{t, w.phase.Op, failed.Name})
		w.r.observe(Event{Kind: Skipped, Op: w.phase.Op, Target: t, Because: failed.Name})
		events = append(events, journal.Skipped{Slot: t.Slot, Phase: phase, By: failed.Slot})
	}
	if len(events) > 0 {
		w.r.record(failed.Name+" failed", events...)
	}
}

// beginQuit makes the run a lame duck.
func (w *walker) beginQuit(cause error) {
	w.quit = true
	w.r.result.Quit = cause
	w.r.observe(Event{Kind: Quitting, Op: w.phase.Op, Err: cause})
}

// finish looks at what is left: nothing, or, after quitting, what did not get its
// turn.
func (w *walker) finish() error {
	defer w.r.sortResult()
	for i := range w.steps {
		if w.steps[i].settled {
			continue
		}
		t := w.r.env.Targets(w.phase.Steps[i].Service)
		if !w.quit {
			return errStuck(t.Name)
		}
		if !w.steps[i].noop {
			w.r.result.Left = append(w.r.result.Left, t)
		}
	}
	return nil
}
