package holder

import (
	"fmt"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// Member is a longrun in a pipeline.
type Member struct {
	Name string
	Slot live.Slot
}

// Pipe is one joint of pipelines: a consumer with all that feed it.
type Pipe struct {
	Consumer  Member
	Producers []Member
}

// Pipes gives the pipes of the databases in use, by the slots of their consumers:
// the current one, and in the middle of a patch both of its two.
func Pipes(d *live.Dir) (map[live.Slot]Pipe, error) {
	pipes, err := readPipes(d)
	if err != nil {
		return nil, fmt.Errorf("cannot find out which pipes there are: %w", err)
	}
	return pipes, nil
}

func readPipes(d *live.Dir) (map[live.Slot]Pipe, error) {
	known, err := journal.Load(d.JournalPath())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", live.ErrCorrupt, err)
	}
	j := known.Head()
	c := collector{dir: d, pipes: make(map[live.Slot]Pipe), seen: make(map[joint]bool)}
	if j.Patch == nil {
		return c.pipes, c.add(j.Content, j.Table)
	}
	if err := c.add(j.Patch.Old, j.Patch.OldTable); err != nil {
		return nil, err
	}
	return c.pipes, c.add(j.Patch.New, j.Patch.Table)
}

// collector collects the pipes of databases.
type collector struct {
	dir   *live.Dir
	pipes map[live.Slot]Pipe
	seen  map[joint]bool
}

type joint struct{ producer, consumer live.Slot }

func (c *collector) add(content db.Digest, t journal.Table) error {
	v, err := c.dir.View(content, t)
	if err != nil {
		return err
	}
	defer v.DB.Close()
	for i, e := range v.Table {
		consumer := v.DB.Consumer(db.ServiceID(i))
		if consumer == db.None {
			continue
		}
		slot := v.Slot(consumer)
		if c.seen[joint{e.Slot, slot}] {
			continue
		}
		c.seen[joint{e.Slot, slot}] = true
		p := c.pipes[slot]
		p.Consumer = Member{v.DB.Name(consumer), slot}
		p.Producers = append(p.Producers, Member{e.Name, e.Slot})
		c.pipes[slot] = p
	}
	return nil
}
