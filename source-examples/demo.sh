#!/bin/sh
# demo.sh BINDIR: the main job on the desktop example, under a private s6-svscan.
# Everything happens below TMPDIR, and every process started here is ended here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH=$(cd "$1" && pwd):$PATH
work=$(mktemp -d)
cd "$work"
exec 3>&1

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
	bold='' dim='' plain=''
fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# run COMMAND...: shows a command and runs it.
run() {
	printf '%s$ %s%s\n' "$dim" "$*" "$plain" | sed "s|$work|\$PWD|g" >&3
	"$@" 3>&-
}
fail() {
	echo "demo: $*" >&2
	exit 1
}

svscan=
end() {
	status=$?
	trap - EXIT HUP INT TERM
	if [ -n "$svscan" ]; then
		s6-svscanctl -t scan 2>/dev/null || kill -TERM "$svscan" 2>/dev/null || :
		wait "$svscan" || :
	fi
	if [ "$status" -ne 0 ] && [ -s svscan.log ]; then
		echo "demo: the last lines of s6-svscan's output:" >&2
		tail -n 20 svscan.log >&2
	fi
	cd /
	chmod -R u+rwX "$work"
	rm -rf "$work"
	exit "$status"
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Processes of the services that are up: a line "NAME PID" each.
pids() {
	for dir in live/servicedirs/*; do
		pid=$(s6-svstat -o pid "$dir")
		if [ "$pid" -gt 0 ]; then echo "$(basename "$dir") $pid"; fi
	done
}

# edit FILE SCRIPT: changes a definition in the new source.
edit() {
	sed "$2" "new/$1" >edited
	cmp -s edited "new/$1" && fail "the demo does not fit the desktop example: $1"
	cat edited >"new/$1"
	rm edited
	diff -U0 "source/$1" "new/$1" | tail -n +4 | sed "s|^|$1: |" || :
}

say "A source is a directory of service definitions; this one is a desktop with stand-ins for its programs."
cp -R "$here/desktop" source
sed -n '1,$p' source/sshd/service.toml
echo "... and $(($(find source -name '*.toml' -o -name type | wc -l) - 1)) more"

say "One of them gets a mistake. The compiler says where, and what was meant:"
sed 's/^needs/nedes/' source/dbus.toml >dbus.toml
mv dbus.toml source/dbus.toml
code=0
run rc-compile -o old.db source || code=$?
[ "$code" -eq 1 ] || fail "a wrong source must give exit code 1, not $code"
[ ! -e old.db ] || fail "a wrong source must not make a database"

say "Without the mistake it becomes one file:"
sed 's/^nedes/needs/' source/dbus.toml >dbus.toml
mv dbus.toml source/dbus.toml
run rc-compile -o old.db source

say "Its levels: all of a level can start in parallel. (The first six of them.)"
run rc-db -c old.db levels >levels
head -n 6 levels | cut -c 1-110

say "A private s6-svscan, and a live directory in which everything is supervised and down:"
mkdir scan
mkfifo ready
s6-svscan -d 3 scan >svscan.log 2>&1 3>ready &
svscan=$!
read -r _ <ready || [ -d scan/.s6-svscan ] || fail "s6-svscan does not start"
run rc-init -c old.db -l "$work/live" "$work/scan"
echo "$(pids | wc -l) daemons run"

say "Start the desktop:"
run rc-ctl -l "$work/live" start graphical >started
tail -n 3 started
pids >before
echo "$(wc -l <before) daemons run"
run rc-ctl -l "$work/live" status sshd

say "Now the source changes:"
cp -R source new
edit sshd/service.toml 's/sshd -D -e -f/sshd -D -e -o LogLevel=VERBOSE -f/'
edit unbound/service.toml 's/^notification-fd = 3/&\ntimeout-up = "45s"/'
edit pipewire.toml 's/^description = .*/description = "sound, video, and screen sharing"/'
edit cupsd/run 's/cupsd -f/cupsd -F -f/'
mv new/cronie.toml new/fcron.toml
cp new/fcron.toml fcron.toml
{ cat fcron.toml && printf '[update]\nrenamed-from = ["cronie"]\n'; } >new/fcron.toml
sed 's/"cronie"/"fcron"/; s/"smartd",//' source/multi-user.toml >new/multi-user.toml
rm new/smartd.toml
echo "cronie is renamed to fcron, which says so; smartd is gone"
run rc-compile -o new.db new

say "What is different between the two databases:"
code=0
run rc-diff old.db new.db || code=$?
[ "$code" -eq 1 ] || fail "rc-diff of different databases must give exit code 1, not $code"

say "What an update would do, and why. Nothing has happened yet:"
run rc-update -l "$work/live" -n new.db

say "Do it:"
run rc-update -l "$work/live" new.db

say "Which processes went through it untouched:"
pids >after
awk '
	NR == FNR { old[$1] = $2; next }
	{ new[$1] = $2 }
	END {
		old_of["fcron"] = "cronie"
		for (s in new) {
			o = (s in old) ? s : old_of[s]
			if (o != "" && old[o] == new[s]) {
				kept++
				if (s == o) continue
				printf "1 %-16s %7d  kept, was %s\n", s, new[s], o
			} else if (o != "") printf "2 %-16s %7d  restarted, was %d\n", s, new[s], old[o]
			else printf "3 %-16s %7d  new\n", s, new[s]
			seen[o]
		}
		for (o in old) if (!(o in new) && !(o in seen)) printf "4 %-16s %7s  ended, was %d\n", o, "", old[o]
		printf "5 %d of %d processes kept their pid\n", kept, length(old)
	}' before after | sort | cut -c 3-

say "Everything down again:"
run rc-ctl -l "$work/live" -D -a change >stopped
tail -n 3 stopped
echo "$(pids | wc -l) daemons run"

s6-svscanctl -t scan
wait "$svscan" || :
svscan=
left=0
while read -r name pid; do
	if kill -0 "$pid" 2>/dev/null; then
		echo "$name ($pid) is still there"
		left=$((left + 1))
	fi
done <after
[ "$left" -eq 0 ] || fail "$left processes are left"
say "All processes have ended, and $work is removed."
