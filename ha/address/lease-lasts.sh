#!/bin/sh
# Whether this host's lease lasts, for keepalived and hold.sh. A host that is refused anyway has no lease to be asked for.
# in:   $1 folder: `refused` is 1 or 0; `lease` is the boot that it is of, and its end in hundredths of a second since that boot
#       $2 address, or nothing: its connections end when the lease is over, because keepalived then removes it
# out:  exit code 0 or 1
# must hold: it fails without a lease, and past it, whoever stands still. /proc/uptime goes on while the machine is suspended.
read -r refused < "$1/refused" 2>/dev/null || exit 1
[ "$refused" = 0 ] || exit 0
read -r boot end < "$1/lease" 2>/dev/null || exit 1
read -r this < /proc/sys/kernel/random/boot_id
[ "$boot" = "$this" ] || exit 1
read -r now rest < /proc/uptime
[ "${now%.*}${now#*.}" -lt "$end" ] && exit 0
[ -z "$2" ] || "$(dirname "$0")/end-connections.sh" "$2"
exit 1
