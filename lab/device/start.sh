#!/bin/sh
# First process of a device of the lab, in its own network, mount and process namespaces.
# in:   $1 the device's folder (keys/, device/, mount/), $2 the folder of this script, $3 the address to listen on, $4 what it is: a file that sets
#         account      its login, a line of passwd: its shell is a shell or a program of the device
#         logged       paths of programs of which every request is logged, each with a NAME.pl beside that file: all places where the
#                      device has the program, or what runs may be another one
#         subsystems   `NAME COMMAND`, one a line: SSH subsystems
#         keep         capabilities besides those that sshd needs, separated by commas
#         furnish      puts what else it needs into its root (own-root.sh)
#         begin        starts what runs beside sshd, in the root of its own; it ends with sshd
# does: lays out its own root folder with the logged programs, then becomes sshd
# must hold: outside the device's folder nothing is written and no mount is visible; the login sees of this machine only device/, and can't
#            get CAP_SYS_ADMIN
set -eu
lab=$1 here=$2 address=$3 device=$4
. "$here/../own-root.sh"
. "$device"

lay_root "$lab/mount" "$account"
put perl stty
furnish
mkdir "$root/run/keys" "$root/run/device" "$root/run/logged" "$root/run/real"
cp "$lab/keys/host_key" "$lab/keys/authorized_keys" "$root/run/keys/"
chmod 600 "$root/run/keys/host_key"
cp "$lab/keys/machine-id" "$root/etc/machine-id"
cp "$here/sshd_config" "$root/run/sshd_config"
case $(uname -m) in aarch64) clock_gettime=113 ;; *) clock_gettime=228 ;; esac
# own-root.sh has variables of its own: `path`, `program`, `name`.
for wrapped in $logged; do
  # Unless `furnish` has put it there, for example from an unpacked package.
  [ -e "$root$wrapped" ] || put "$wrapped"
  for twin in "/usr/sbin/${wrapped##*/}" "/usr/bin/${wrapped##*/}"; do
    case " $(echo $logged) " in *" $twin "*) continue ;; esac
    [ ! -e "$root$twin" ] || { echo "$device: $twin is there too, and is not in logged" >&2; exit 1; }
  done
  mv "$root$wrapped" "$root/run/real/"
  cp "${device%/*}/${wrapped##*/}.pl" "$root/run/logged/"
  sed "s/^my \$CLOCK_GETTIME = .*/my \$CLOCK_GETTIME = $clock_gettime;/" "$here/logged" >"$root$wrapped"
  chmod 755 "$root$wrapped"
done
mount -n --bind "$lab/device" "$root/run/device"
mount -n -o remount,bind,nosuid,nodev "$root/run/device"
enter_root
begin

set -- -D -e -f /run/sshd_config -o "ListenAddress=$address:22" -o "AllowUsers=${account%%:*}"
while read -r name command; do
  [ -z "$name" ] || set -- "$@" -o "Subsystem=$name $command"
done <<END
$subsystems
END
# From OpenSSH 9.8 on a client that fails often is blocked for a while; tests fail often. Older versions don't know the option.
if /usr/sbin/sshd -t -f /run/sshd_config -o PerSourcePenalties=no 2>/dev/null; then set -- "$@" -o PerSourcePenalties=no; fi
keep=+chown,+dac_override,+fowner,+kill,+setgid,+setuid,+net_bind_service,+sys_chroot,+audit_write${keep:+,$keep}
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set "-all,$keep" --inh-caps=-all -- /usr/sbin/sshd "$@"
