package compile

import (
	"slices"

	"strata/compile/source"
	"strata/internal/diag"
)

// linkPipelines pairs producers and consumers. Both sides must name each other,
// but for a logger in TOML, where the consumer's side is implied.
func (c *compiler) linkPipelines() {
	c.feeds = map[*source.Definition]*source.Definition{}
	c.fedBy = map[*source.Definition][]*source.Definition{}
	for _, d := range c.definitions() {
		for _, ref := range d.ProducerFor {
			c.linkProducer(d, ref)
		}
	}
	for _, d := range c.definitions() {
		for _, ref := range d.ConsumerFor {
			c.checkProducer(d, ref)
		}
	}
	for consumer, producers := range c.fedBy {
		c.fedBy[consumer] = c.inDeclaredOrder(consumer, producers)
	}
}

// definitions are the definitions that count, in the order they were read.
func (c *compiler) definitions() []*source.Definition {
	var out []*source.Definition
	for _, d := range c.set.Definitions {
		if c.defs[d.Name] == d {
			out = append(out, d)
		}
	}
	return out
}

func (c *compiler) linkProducer(producer *source.Definition, ref source.Ref) {
	consumer := c.defs[ref.Name]
	switch {
	case consumer == nil:
		c.undefined("pipeline-wrong-type", ref, "longrun %s is a producer for %s, which is not defined", producer.Name, ref.Name)
	case consumer == producer:
		c.list.Errorf("pipeline-itself", ref.Pos, "longrun %s is a producer for itself", producer.Name)
	case consumer.Kind != source.Longrun:
		c.refer(c.list.Errorf("pipeline-wrong-type", ref.Pos, "longrun %s is a producer for %s, which is a %s", producer.Name, ref.Name, consumer.Kind),
			consumer.Pos, ref.Name+" is defined here")
	case !impliedConsumer(producer) && !names(consumer.ConsumerFor, producer.Name):
		c.notMutual(ref, consumer, producer.Name, ref.Name, "consumer-for")
	default:
		c.feeds[producer] = consumer
		c.fedBy[consumer] = append(c.fedBy[consumer], producer)
	}
}

func (c *compiler) checkProducer(consumer *source.Definition, ref source.Ref) {
	producer := c.defs[ref.Name]
	switch {
	case producer == nil:
		c.undefined("pipeline-wrong-type", ref, "longrun %s is a consumer for %s, which is not defined", consumer.Name, ref.Name)
	case consumer == producer:
		c.list.Errorf("pipeline-itself", ref.Pos, "longrun %s is a consumer for itself", consumer.Name)
	case producer.Kind != source.Longrun:
		c.refer(c.list.Errorf("pipeline-wrong-type", ref.Pos, "longrun %s is a consumer for %s, which is a %s", consumer.Name, ref.Name, producer.Kind),
			producer.Pos, ref.Name+" is defined here")
	case len(producer.ProducerFor) == 0 && producer.FieldPos.Has("producer-for"):
		// An empty producer-for has been reported.
	case !names(producer.ProducerFor, consumer.Name):
		c.notMutual(ref, producer, consumer.Name, ref.Name, "producer-for")
	}
}

func (c *compiler) notMutual(ref source.Ref, other *source.Definition, name, otherName, missing string) {
	d := c.list.Errorf("pipeline-not-mutual", ref.Pos, "%s names %s as its end of a pipeline, but %s does not name %s", name, otherName, otherName, name)
	d.Hint = "add " + name + " to " + missing + " of " + otherName
	c.refer(d, other.Pos, otherName+" is defined here")
}

// impliedConsumer tells whether the consumer's side needs no declaration.
func impliedConsumer(producer *source.Definition) bool {
	return producer.FieldPos.Has("logger")
}

func names(refs []source.Ref, name string) bool {
	return slices.ContainsFunc(refs, func(r source.Ref) bool { return r.Name == name })
}

// inDeclaredOrder puts producers in the order of consumer-for, those that only
// name the consumer as their logger after them.
func (c *compiler) inDeclaredOrder(consumer *source.Definition, producers []*source.Definition) []*source.Definition {
	var out []*source.Definition
	for _, ref := range consumer.ConsumerFor {
		if p := c.defs[ref.Name]; slices.Contains(producers, p) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	for _, p := range producers {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// namePipelines makes the bundles: those that are defined, and one for each
// pipeline that has a name.
func (c *compiler) namePipelines() {
	c.bundles = map[string]*bundle{}
	for _, d := range c.definitions() {
		if d.Kind == source.Bundle {
			c.bundles[d.Name] = &bundle{def: d, members: d.Contents}
		}
	}
	for _, d := range c.definitions() {
		if len(d.PipelineName) == 1 {
			c.namePipeline(d, d.PipelineName[0])
		}
	}
}

func (c *compiler) namePipeline(last *source.Definition, name source.Ref) {
	if c.feeds[last] != nil || len(c.fedBy[last]) == 0 {
		c.list.Warnf("pipeline-name-ignored", name.Pos, "%s has a pipeline-name but is not the last consumer of a pipeline; it is ignored", last.Name)
		return
	}
	def := &source.Definition{Name: name.Name, Kind: source.Bundle, Source: last.Source, Pos: name.Pos}
	if before := c.defs[name.Name]; before != nil {
		c.duplicate(def, before, "the pipeline that ends in %s has the name of another definition, %s", last.Name, name.Name)
		return
	}
	c.defs[name.Name] = def
	c.bundles[name.Name] = &bundle{def: def, members: c.pipelineMembers(last, name.Pos), pipeline: true}
}

// pipelineMembers are the longruns of the pipeline that ends in last. A loop ends
// the walk; it is reported as the cycle of dependencies it is.
func (c *compiler) pipelineMembers(last *source.Definition, pos diag.Position) []source.Ref {
	seen := map[*source.Definition]bool{last: true}
	members := []source.Ref{{Name: last.Name, Pos: pos}}
	for queue := []*source.Definition{last}; len(queue) > 0; queue = queue[1:] {
		for _, p := range c.fedBy[queue[0]] {
			if !seen[p] {
				seen[p] = true
				members = append(members, source.Ref{Name: p.Name, Pos: pos})
				queue = append(queue, p)
			}
		}
	}
	return members
}
