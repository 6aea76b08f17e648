#!/bin/sh
# Waits until a process has ended, however it ends, and removes what it has left.
# in:   standard input, a pipe whose other end only that process has; $1 the file of its claims; then the command that removes
# must hold: it ends by itself, and the command does nothing for a process that runs
claims=$1 tries=30
shift
trap '' HUP INT TERM
read -r nothing
while [ -e "$claims" ] && [ "$tries" -gt 0 ]; do
  "$@"
  tries=$((tries - 1))
  [ ! -e "$claims" ] || sleep 1
done
