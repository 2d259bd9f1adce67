package update

import (
	"bytes"
	"encoding/json"
	"slices"

	"strata/live/journal"
)

// Of thousands of services the two lists of what is up are nearly all of a patch's JSON,
// and encoding/json takes ten times longer for them than they need. So it is given
// the rest, with a mark in the place of each. Lists that are not written just as here
// are left to it.

// upList is one of the two lists, and what stands in front of it in the JSON. A quote in
// a string has a backslash in front of it, so that this text is in no string.
type upList struct {
	front string
	in    func(*plainPatch) *[]string
}

var upLists = [...]upList{
	{`,"before":{"up":[`, func(p *plainPatch) *[]string { return &p.Before.Up }},
	{`,"after":{"up":[`, func(p *plainPatch) *[]string { return &p.After.Up }},
}

// upMark is the only string of a list that stands for another one.
const upMark = "\x7f"

// marked is the text of the list with the mark, behind its front.
func (u upList) marked() []byte { return []byte(u.front + `"` + upMark + `"]`) }

// marshalUp is [json.Marshal] of a patch of which everything but the two lists has been
// converted. It reports false if it cannot do it.
func (p plainPatch) marshalUp() (text []byte, ok bool) {
	var lists [len(upLists)][]byte
	first := p.Before.Up
	for i, u := range upLists {
		list := u.in(&p)
		if i > 0 && slices.Equal(*list, first) { // mostly as much is up after it
			lists[i] = append([]byte(u.front), lists[0][len(upLists[0].front):]...)
		} else if lists[i], ok = journal.AppendNames([]byte(u.front), *list); !ok {
			return nil, false
		}
		*list = []string{upMark}
	}
	rest, err := json.Marshal(p)
	if err != nil {
		return nil, false
	}
	text = make([]byte, 0, len(rest)+len(lists[0])+len(lists[1]))
	for i, u := range upLists {
		front, back, found := bytes.Cut(rest, u.marked())
		if !found {
			return nil, false
		}
		text, rest = append(append(text, front...), lists[i]...), back
	}
	return append(text, rest...), true
}

// unmarshalUp is [json.Unmarshal] into a patch of which the two lists need not be
// converted any more. It reports false if it cannot do it.
func (p *plainPatch) unmarshalUp(text []byte) bool {
	var lists [len(upLists)][]string
	var before, rest []byte
	for i, u := range upLists {
		front, back, ok := bytes.Cut(text, []byte(u.front))
		if !ok {
			return false
		}
		if before != nil && bytes.HasPrefix(back, before) { // mostly as much is up after it
			lists[i], text = slices.Clone(lists[0]), back[len(before):]
		} else if lists[i], text, ok = journal.CutNames(back); !ok {
			return false
		}
		before = back[:len(back)-len(text)]
		if mayMark(front) {
			return false
		}
		rest = append(append(rest, front...), u.marked()...)
	}
	if mayMark(text) || json.Unmarshal(append(rest, text...), p) != nil {
		return false
	}
	for i, u := range upLists {
		list := u.in(p)
		if !slices.Equal(*list, []string{upMark}) { // another one counts
			return false
		}
		*list = lists[i]
	}
	return true
}

// mayMark says that there may be a mark in a text already.
func mayMark(text []byte) bool {
	return bytes.Contains(text, []byte(upMark)) || bytes.Contains(text, []byte(`\u007`))
}
