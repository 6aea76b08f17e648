#!/bin/sh
# A copy of a whole node for one of the trial's that has lost its state (wsrep_sst_METHOD, as mariadbd calls it: "SST"). Both nodes' folders
# are on this machine, so the donor writes the copy beside them.
# in:   --role joiner|donor, --datadir, --gtid of the donor's state, --bypass when only the position is needed
# out:  joiner: "ready ADDRESS", then the position of what is in its folder; donor: "done POSITION"
# must hold: the joiner's folder is replaced only by a whole copy
bypass=no
while [ $# -gt 0 ]; do
  case $1 in
    --role) role=$2; shift ;;
    --datadir) datadir=$2; shift ;;
    --gtid) gtid=$2; shift ;;
    --address) address=$2; shift ;;
    --socket) socket=$2; shift ;;
    --bypass) bypass=yes ;;
  esac
  shift
done
folder=$(dirname "$0")
copy=$folder/galera-copy
case $role in
  joiner)
    rm -rf "$copy"
    echo "ready ${address:-127.0.0.1}/trial"
    until [ -f "$copy/done" ]; do sleep 0.1; done
    position=$(cat "$copy/done")
    if [ -d "$copy/data" ]; then
      find "$datadir" -mindepth 1 -maxdepth 1 ! -name 'galera.cache' ! -name 'grastate.dat' ! -name 'gvwstate.dat' -exec rm -rf {} +
      cp -a "$copy/data/." "$datadir/"
    fi
    rm -rf "$copy"
    echo "$position"
    ;;
  donor)
    mkdir -p "$copy"
    if [ "$bypass" = no ]; then
      mariadb-backup --backup --galera-info --user=root --socket="$socket" --datadir="$datadir" --target-dir="$copy/data" >&2 || exit 1
      mariadb-backup --prepare --target-dir="$copy/data" >&2 || exit 1
      [ -s "$copy/data/xtrabackup_galera_info" ] && gtid=$(cut -d ' ' -f 1 "$copy/data/xtrabackup_galera_info")
    fi
    echo "$gtid" > "$copy/done.new" && mv "$copy/done.new" "$copy/done"
    echo "done $gtid"
    ;;
esac
