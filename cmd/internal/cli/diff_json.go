package cli

import (
	"strata/compile/db"
	"strata/update"
)

// diffJSON is what rc-diff says in JSON.
type diffJSON struct {
	Format   string              `json:"format"`
	Same     bool                `json:"same"`
	Old      versionJSON         `json:"old"`
	New      versionJSON         `json:"new"`
	Services []serviceChangeJSON `json:"services"`
	Bundles  []bundleChangeJSON  `json:"bundles"`
	State    []deviationJSON     `json:"state,omitempty"`
}

type versionJSON struct {
	Path    text      `json:"path"`
	Content db.Digest `json:"content"`
	File    db.Digest `json:"file"`
}

type serviceChangeJSON struct {
	Kind     update.Kind       `json:"kind"`
	Old      text              `json:"old,omitempty"`
	New      text              `json:"new,omitempty"`
	NewNames []text            `json:"new_names,omitempty"`
	Via      text              `json:"via,omitempty"`
	Class    update.Class      `json:"class"`
	Fields   []fieldChangeJSON `json:"fields,omitempty"`
}

type fieldChangeJSON struct {
	Field string       `json:"field"`
	Class update.Class `json:"class"`
	From  text         `json:"from,omitempty"`
	To    text         `json:"to,omitempty"`
	OldAt text         `json:"old_at,omitempty"`
	NewAt text         `json:"new_at,omitempty"`
}

type bundleChangeJSON struct {
	Kind update.Kind `json:"kind"`
	Name text        `json:"name"`
	Gone []text      `json:"gone,omitempty"`
	More []text      `json:"more,omitempty"`
}

type deviationJSON struct {
	Service text   `json:"service"`
	What    string `json:"what"`
}

func (r diffResult) json() diffJSON {
	out := diffJSON{
		Format: diffFormat, Same: r.Same, Old: newVersionJSON(r.Old), New: newVersionJSON(r.New),
		Services: make([]serviceChangeJSON, len(r.Services)), Bundles: make([]bundleChangeJSON, len(r.Bundles)),
	}
	for i, s := range r.Services {
		c := serviceChangeJSON{s.Kind, text(s.Old), text(s.New), texts(s.NewNames), text(s.Via), s.Class, nil}
		for _, f := range s.Fields {
			c.Fields = append(c.Fields, fieldChangeJSON{f.Field, f.Class, text(f.From), text(f.To), text(f.OldAt), text(f.NewAt)})
		}
		out.Services[i] = c
	}
	for i, b := range r.Bundles {
		out.Bundles[i] = bundleChangeJSON{b.Kind, text(b.Name), texts(b.Gone), texts(b.More)}
	}
	for _, d := range r.State {
		out.State = append(out.State, deviationJSON{text(d.Service), d.What})
	}
	return out
}

func newVersionJSON(v update.Version) versionJSON {
	return versionJSON{text(v.Path), v.Content, v.File}
}
