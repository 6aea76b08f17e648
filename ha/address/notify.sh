#!/bin/sh
# Notes what keepalived has become: MASTER has the address.
# in:   $1 folder, $2 "INSTANCE", $3 its name, $4 MASTER, BACKUP, FAULT or STOP
# out:  the file `state`
printf '%s %s\n' "$4" "$(date --utc +%FT%T.%3NZ)" > "$1/state.new" && mv "$1/state.new" "$1/state"
