#!/bin/sh
# Makes paths reachable for a user who can't pass their parents (a checkout in /root), without opening the parents to anyone.
# in:   in a private mount namespace: `--cover FOLDER` for each parent that the user can't pass, `--keep PATH` for each path below
#       one of them, then `--` and the command
# does: lays an empty folder over each FOLDER, in which only the PATHs are, at their places; then becomes the command
# must hold: FOLDERs and PATHs come from the one who starts this as root, at most five PATHs; outside the namespace nothing changes
set -eu
covers='' keeps='' number=4
umask 022
while [ "$1" != -- ]; do
  case $1 in
    --cover) covers="$covers$2
" ;;
    --keep)
      number=$((number + 1))
      # Held by a descriptor, which still names it when its parent is covered.
      eval "exec $number<\"\$2\""
      keeps="$keeps$number $2
" ;;
  esac
  shift 2
done
shift
printf %s "$covers" | while IFS= read -r folder; do mount -n -t tmpfs -o mode=711,size=1m,nosuid,nodev tmpfs "$folder"; done
printf %s "$keeps" | while read -r held path; do
  mkdir -p "$path"
  # Not canonicalised: that would look the descriptor's path up again, below the cover.
  mount -n --no-canonicalize --rbind "/proc/self/fd/$held" "$path"
done
exec 5<&- 6<&- 7<&- 8<&- 9<&-
cd "$PWD" 2>/dev/null || cd /
exec "$@"
