package db

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// scripts is a model of services of which each runs the script given for its name; an
// empty one runs a command line. feeds names services that feed the first one.
func scripts(t testing.TB, runs map[string]string, feeds string) *Model {
	m := &Model{Blobs: Blobs{}}
	for name, text := range runs {
		s := Service{Name: name, Type: Longrun, Run: Program{Form: Argv, Argv: []string{"true"}}, Consumer: None}
		if text != "" {
			s.Run = Program{Form: Script, Script: m.Blobs.Add([]byte(text))}
		}
		m.Services = append(m.Services, s)
	}
	slices.SortFunc(m.Services, func(a, b Service) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	needs := ""
	for i := range m.Services {
		if s := &m.Services[i]; i > 0 && bytes.Contains([]byte(feeds), []byte(s.Name)) {
			s.Consumer = 0
			m.Services[0].Producers = append(m.Services[0].Producers, ServiceID(i))
			needs += " " + s.Name + ">" + m.Services[0].Name
		}
	}
	return complete(t, m, needs, "", "")
}

// TestUnchanged: beside a sound database exactly that is refused which is refused alone,
// whatever differs, and whichever contents are missing or too many.
func TestUnchanged(t *testing.T) {
	refusals, settled := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.SampledFrom([]string{"", "x", "y", "z"})
		names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		before := rapid.MapOfN(names, text, 1, 6).Draw(rt, "before")
		after := rapid.MapOfN(names, text, 0, 3).Draw(rt, "changed")
		for name, run := range before {
			if _, ok := after[name]; !ok {
				after[name] = run
			}
		}
		for _, gone := range rapid.SliceOfN(names, 0, 2).Draw(rt, "gone") {
			if len(after) > 1 {
				delete(after, gone)
			}
		}
		more := rapid.SampledFrom([]int{0, 0, fewOthers + 1}).Draw(rt, "more")
		for i := range more {
			before[fmt.Sprint("more", i)], after[fmt.Sprint("more", i)] = "old", "new"
		}
		without := rapid.SampledFrom([]string{"", "", "x", "y", "z"}).Draw(rt, "without")
		with := rapid.SampledFrom([]string{"", "", "x", "y", "z"}).Draw(rt, "with")
		like := mustOpen(t, write(t, scripts(t, before, rapid.SampledFrom([]string{"", "bc"}).Draw(rt, "feeds"))))
		defer like.Close()
		db, err := OpenLive(spoiled(t, scripts(t, after, rapid.SampledFrom([]string{"", "bc"}).Draw(rt, "feeds then")), true, func(im *image) {
			spoilContents(im, without, with)
		}))
		if err != nil {
			rt.Fatal(err)
		}
		defer db.Close()
		alone, beside := db.checkMeaning(nil), db.checkMeaning(like)
		if (alone == nil) != (beside == nil) {
			rt.Fatalf("alone: %v, beside %v: %v", alone, before, beside)
		}
		if alone != nil {
			refusals++
		}
		if more == 0 {
			settled++
		}
	})
	if refusals == 0 || settled == 0 {
		t.Errorf("%d refusals, %d small differences: they have to occur", refusals, settled)
	}
}

// spoilContents takes one content out of an image and puts another one in.
func spoilContents(im *image, without, with string) {
	im.blobs = slices.DeleteFunc(slices.Clone(im.blobs), func(d Digest) bool { return string(im.model.Blobs[d]) == without })
	if with != "" {
		if d := im.model.Blobs.Add([]byte(with)); !slices.Contains(im.blobs, d) {
			im.blobs = append(im.blobs, d)
			slices.SortFunc(im.blobs, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
		}
	}
	im.header.blobs = uint32(len(im.blobs))
}

// TestUnchangedUnread: contents of like that cannot be reached are not taken for unused.
func TestUnchangedUnread(t *testing.T) {
	t.Parallel()
	runs := map[string]string{"a": "x", "b": "y"}
	like := mustOpen(t, write(t, scripts(t, runs, "")))
	for _, unread := range []bool{false, true} {
		u := newUnchanged(like, like)
		err := u.settle()
		if unread {
			u.at.end()
		}
		if err == nil {
			err = like.blobs.each(func(key, _ []byte) error { _, _, err := u.content(key); return err })
		}
		if err == nil {
			err = u.end()
		}
		if (err != nil) != unread {
			t.Errorf("unread %t: %v", unread, err)
		}
	}
}
