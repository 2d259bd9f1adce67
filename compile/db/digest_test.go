package db

import (
	"testing"
)

// definitionOf returns the digest of service "sshd" of a changed rich model, and
// the content digest.
func digestsOf(t *testing.T, change func(*Model, *Service)) (definition, content Digest) {
	t.Helper()
	m := rich(t)
	change(m, &m.Services[2])
	im, err := newImage(m, "tool")
	if err != nil {
		t.Fatal(err)
	}
	_, definition, _ = newEncoder().service(serviceKey(2), &m.Services[2])
	return definition, im.header.content
}

func TestDefinitionDigest(t *testing.T) {
	t.Parallel()
	def, content := digestsOf(t, func(*Model, *Service) {})
	for name, c := range map[string]struct {
		change     func(*Model, *Service)
		def, whole bool // whether the digest is another
	}{
		"nothing":         {func(*Model, *Service) {}, false, false},
		"description":     {func(_ *Model, s *Service) { s.Description = "x" }, false, false},
		"origin":          {func(_ *Model, s *Service) { s.Origin.Line++; s.Origin.Fields = nil }, false, false},
		"bundle comment":  {func(m *Model, _ *Service) { m.Bundles[0].Description = "x" }, false, false},
		"unused content":  {func(m *Model, _ *Service) { m.Blobs.Add([]byte("unused")) }, false, false},
		"name":            {func(_ *Model, s *Service) { s.Name = "sshe" }, false, true},
		"flags":           {func(_ *Model, s *Service) { s.Flags = 0 }, false, true},
		"manual":          {func(_ *Model, s *Service) { s.Manual = true }, false, true},
		"provides":        {func(_ *Model, s *Service) { s.Provides = []string{"x"} }, false, true},
		"renamed-from":    {func(_ *Model, s *Service) { s.RenamedFrom = []string{"x"} }, false, true},
		"on-change":       {func(_ *Model, s *Service) { s.OnChange = Keep }, false, true},
		"edges":           {func(m *Model, _ *Service) { m.Wants = m.Needs }, false, true},
		"private":         {func(m *Model, _ *Service) { m.Private = false }, false, true},
		"bundle":          {func(m *Model, _ *Service) { m.Bundles[0].Contents = nil }, false, true},
		"timeout-up":      {func(_ *Model, s *Service) { s.TimeoutUp++ }, true, true},
		"timeout-down":    {func(_ *Model, s *Service) { s.TimeoutDown++ }, true, true},
		"run":             {func(m *Model, s *Service) { s.Run.Script = m.Blobs.Add([]byte("x")) }, true, true},
		"finish":          {func(_ *Model, s *Service) { s.Finish.Argv = []string{"true", ""} }, true, true},
		"no finish":       {func(_ *Model, s *Service) { s.Finish = Program{} }, true, true},
		"notification-fd": {func(_ *Model, s *Service) { s.NotificationFD.Value++ }, true, true},
		"lock-fd":         {func(_ *Model, s *Service) { s.LockFD = Uint{} }, true, true},
		"down-signal":     {func(_ *Model, s *Service) { s.DownSignal = []byte{} }, true, true},
		"reload-signal":   {func(_ *Model, s *Service) { s.ReloadSignal = nil }, true, true},
		"newpidns":        {func(_ *Model, s *Service) { s.NewPIDNS = false }, true, true},
		"env":             {func(_ *Model, s *Service) { s.Exec.Env[0].Value = "2" }, true, true},
		"file mode":       {func(_ *Model, s *Service) { s.Files[1].Mode = 0o755 }, true, true},
		"file owner":      {func(_ *Model, s *Service) { s.Files[1].Owner = Owner{} }, true, true},
		"file content":    {func(m *Model, s *Service) { s.Files[1].Blob = m.Blobs.Add([]byte("x")) }, true, true},
		"link":            {func(_ *Model, s *Service) { s.Files[2].Target = "x" }, true, true},
		"file gone":       {func(_ *Model, s *Service) { s.Files = s.Files[:4] }, true, true},
	} {
		d, w := digestsOf(t, c.change)
		if (d != def) != c.def {
			t.Errorf("%s: the definition digest changed: %v, want %v", name, d != def, c.def)
		}
		if (w != content) != c.whole {
			t.Errorf("%s: the content digest changed: %v, want %v", name, w != content, c.whole)
		}
	}
}

// The digests are part of the format: patches and journals carry them. Before the first
// release they may change.
func TestDigestsStay(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, write(t, tiny(t)))
	for what, c := range map[string]struct{ got, want string }{
		"content":      {db.Content().Short(), "df5b96426a17f88a"},
		"file":         {db.File().Short(), "37850091420d4918"},
		"definition a": {db.Definition(0).Short(), "7a41b5588f6d3d19"},
	} {
		if c.got != c.want {
			t.Errorf("%s digest is %s, was %s: a change of the format needs a new version", what, c.got, c.want)
		}
	}
}
