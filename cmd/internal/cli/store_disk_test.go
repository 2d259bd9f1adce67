package cli

import (
	"strings"
	"testing"
)

// A store on a full disk, or on one that cannot be written, stays as it is, and what is
// wrong is said in a line. The disk is a small tmpfs in a mount namespace of its own, so
// it is another file system than the databases' too.
func TestStoreDisk(t *testing.T) {
	onSmallDisk(t, map[string]string{
		"small/a.toml":         "type = \"oneshot\"\nup = [\"true\"]\n",
		"other/a.toml":         "type = \"oneshot\"\nup = [\"false\"]\n",
		"large/a/service.toml": "type = \"longrun\"\nrun = [\"true\"]\n",
		"large/a/data/file":    strings.Repeat("0123456789abcdef", 40_000),
	}, `set -eu
		for db in small other large; do rc-compile -o $db.db $db >/dev/null; done
		mount -t tmpfs -o size=256k,mode=755 tmpfs "$DISK"
		store() { rc-store -l nowhere --store "$DISK/store" "$@"; }
		store install small.db
		store install other.db
		ls -lA "$DISK/store" >before
		code=0; store install large.db 2>message || code=$?
		test $code = 111
		grep -qx "rc-store: cannot copy database large.db to $DISK/store: no space left on device" message
		ls -lA "$DISK/store" >after
		cmp before after
		store rollback
		store install other.db
		ls -lA "$DISK/store" >before
		mount -o remount,bind,ro "$DISK"
		for command in "install small.db" "install other.db" rollback "collect --generations 1"; do
			code=0; store $command 2>message || code=$?
			test $code = 111
			grep -qE "^rc-store: .*cannot change store $DISK/store: read-only file system$" message
			test "$(grep -vc '^+' message)" = 1
		done
		store list | grep -c '^  [01]'
		ls -lA "$DISK/store" >after
		cmp before after`)
}
