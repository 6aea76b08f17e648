#!/bin/sh
# Lays out the root folder of the logins to the lab's Open vSwitch, once for all of them.
# in:   $1 the folder with the keys, in which root/ is made, $2 the folder of this script
# must hold: nothing is mounted
set -eu
. "$2/../own-root.sh"
rm -rf "$1/root"
mkdir "$1/root"
lay_root "$1/root" 'netops:*:0:0:lab:/run:/bin/sh' kept
put ovsdb-client ovs-vsctl
cp "$1/machine-id" "$root/etc/machine-id"
