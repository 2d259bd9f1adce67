package db

import "iter"

// Blobs visits the digests of the contents that a service uses: its scripts and
// the files below data, env and template. One that is used twice is visited
// twice.
func (s *Service) Blobs() iter.Seq[Digest] {
	return func(yield func(Digest) bool) {
		for _, p := range []*Program{&s.Up, &s.Down, &s.Reload, &s.Run, &s.Finish, &s.Exec.RunBefore} {
			if p.Form == Script && !yield(p.Script) {
				return
			}
		}
		for i := range s.Files {
			if s.Files[i].Kind == File && !yield(s.Files[i].Blob) {
				return
			}
		}
	}
}
