package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"strata/compile/db"
)

// text is a string of a definition in JSON: a string if it is UTF-8, else an
// object {"b64": BASE64}, so that nothing is lost.
type text string

// MarshalJSON implements [json.Marshaler]. Scripts are full of characters that
// matter to HTML alone; they stay as they are.
func (t text) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(string(t)) {
		return json.Marshal(map[string]string{"b64": base64.StdEncoding.EncodeToString([]byte(t))})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(string(t))
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// texts is a list that is never null.
func texts(list []string) []text {
	out := make([]text, len(list))
	for i, s := range list {
		out[i] = text(s)
	}
	return out
}

func flagNames(f db.Flags) []string {
	names := []string{}
	if f&db.Essential != 0 {
		names = append(names, "essential")
	}
	if f&db.Recommended != 0 {
		names = append(names, "recommended")
	}
	return names
}

// databaseJSON says which database it is.
type databaseJSON struct {
	Path     text      `json:"path"`
	Content  db.Digest `json:"content"`
	File     db.Digest `json:"file"`
	Size     int64     `json:"size"`
	Version  int       `json:"version"`
	Tool     text      `json:"tool"`
	Private  bool      `json:"private"`
	Services int       `json:"services"`
	Bundles  int       `json:"bundles"`
}

func newDatabaseJSON(d *db.DB) databaseJSON {
	return databaseJSON{text(d.Path()), d.Content(), d.File(), d.Size(), d.Format(), text(d.Tool()), d.Private(), d.Len(), d.Bundles()}
}

// programJSON is an argv or a script; both are null if there is no program.
type programJSON struct {
	Argv   *[]text `json:"argv"`
	Script *text   `json:"script"`
}

func newProgramJSON(d *db.DB, p db.Program) (*programJSON, error) {
	switch p.Form {
	case db.Argv:
		argv := texts(p.Argv)
		return &programJSON{Argv: &argv}, nil
	case db.Script:
		content, err := d.Blob(p.Script)
		script := text(content)
		return &programJSON{Script: &script}, err
	}
	return nil, nil
}

// originJSON is a place in a source; line is 0 for a file as a whole.
type originJSON struct {
	Source text      `json:"source"`
	Path   text      `json:"path"`
	Line   int       `json:"line"`
	Fields []fieldAt `json:"fields"`
}

type fieldAt struct {
	Field text `json:"field"`
	Path  text `json:"path"`
	Line  int  `json:"line"`
}

func newOriginJSON(o db.Origin) originJSON {
	out := originJSON{text(o.Label), text(o.Path), o.Line, []fieldAt{}}
	for _, f := range o.Fields {
		out.Fields = append(out.Fields, fieldAt{text(f.Field), text(f.Path), f.Line})
	}
	return out
}

// number is an optional number, null if it is not given.
func number(u db.Uint) *uint32 {
	if !u.Set {
		return nil
	}
	return &u.Value
}

// content is an optional file's content, null if there is no file.
func content(b []byte) *text {
	if b == nil {
		return nil
	}
	t := text(b)
	return &t
}

var (
	onChangeNames  = map[db.OnChange]string{db.ByClass: "", db.Restart: "restart", db.Reload: "reload", db.Keep: "keep"}
	entryKindNames = map[db.EntryKind]string{db.File: "file", db.Directory: "directory", db.Link: "link", db.FIFO: "fifo"}
)
