package source
import "golang.org/x/sys/unix"
func chmod(p string,m uint32){unix.Chmod(p,m)}
