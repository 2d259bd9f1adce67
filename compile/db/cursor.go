package db

import "bytes"

// cursor goes through a bucket in ascending order as [bucket.each] does, but only as far
// as somebody asks. It is for a database whose damage does not matter: there it ends.
type cursor struct {
	p          pages
	budget     int     // pages that may still be visited, so that a loop ends
	path       []place // from the root down to the leaf that it is in; empty at the end
	key, value []byte  // where it stands; nil at the end
}

// place is how far a cursor has come in a page.
type place struct {
	node
	next int
}

// cursor stands on the first key.
func (b bucket) cursor() cursor {
	c := cursor{p: b.p, budget: len(b.p)/pageSize + 1}
	if c.enter(b.root) {
		c.next()
	}
	return c
}

// find goes on to a key and returns its value.
func (c *cursor) find(key []byte) (value []byte, ok bool) {
	for c.key != nil {
		if order := bytes.Compare(c.key, key); order >= 0 {
			return c.value, order == 0
		}
		c.next()
	}
	return nil, false
}

func (c *cursor) next() {
	for len(c.path) > 0 {
		last := &c.path[len(c.path)-1]
		i := last.next
		last.next++
		switch {
		case i == last.count:
			c.path = c.path[:len(c.path)-1]
		case last.leaf:
			if !c.stand(last.node, i) {
				c.end()
			}
			return
		default:
			page, err := c.p.page(last.child(i))
			if err != nil || !c.enter(page) {
				c.end()
				return
			}
		}
	}
	c.end()
}

// enter goes down into a page.
func (c *cursor) enter(page []byte) bool {
	n, err := parseNode(page)
	if c.budget--; err != nil || c.budget < 0 {
		return false
	}
	c.path = append(c.path, place{node: n})
	return true
}

func (c *cursor) stand(n node, i int) bool {
	value, isBucket, err := n.value(i)
	c.key, c.value = n.key(i), value
	return c.key != nil && !isBucket && err == nil
}

func (c *cursor) end() { c.path, c.key, c.value = nil, nil, nil }
