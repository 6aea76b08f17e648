#!/bin/sh
# Runs keepalived, and takes the address away where keepalived does not: when it has ended, and when it stands still.
# in:   $1 folder (see lease-lasts.sh), $2 address with length, $3 device, then keepalived's command
# must hold: keepalived ends with this shell, and the address with either. Both outlive the agent, which may start anew.
folder=$1 address=$2 device=$3
shift 3
lasts=$(dirname "$0")/lease-lasts.sh
ends=$(dirname "$0")/end-connections.sh
take_away() {
  "$ends" "$address"
  ip address delete "$address" dev "$device" 2>/dev/null
}
# In a subshell, which it may end: five times a second a program of its own would cost several times as much.
may_have() {
  read -r refused < "$folder/refused" 2>/dev/null && [ "$refused" = 0 ] && (set -- "$folder" && . "$lasts")
}
end() {
  "$ends" "$address"
  kill -TERM "$server" 2>/dev/null
  wait "$server"
  take_away
  exit 0
}
take_away
setpriv --pdeathsig KILL -- "$@" &
server=$!
trap end TERM INT
rounds=0
while kill -0 "$server" 2>/dev/null; do
  sleep 0.2
  if may_have; then
    # keepalived gives it back by itself within a second: the script's interval.
    rounds=10
  elif [ "$rounds" -gt 0 ]; then
    take_away
    rounds=$((rounds - 1))
  fi
done
take_away
