#!/bin/sh
# Process 1 of a login's mount and process namespaces: becomes an sshd for one connection, on standard input and output.
# in:   $1 the folder with root/ (lay-root.sh), the keys and sshd_config, $2 the folder with db.sock, $3 the folder of this script
# must hold: outside nothing is written and no mount is seen; the login sees of this machine only the folder with db.sock, and can't
#            get CAP_SYS_ADMIN
set -eu
. "$3/../own-root.sh"
root=$1/root
mount -n --bind "$root" "$root"
mount -n -t tmpfs -o mode=755,size=1m,nosuid,nodev tmpfs "$root/run"
mkdir "$root/run/sshd" "$root/run/openvswitch"
cp "$1/sshd_config" "$1/host_key" "$1/authorized_keys" "$root/run/"
chmod 600 "$root/run/host_key"
mount -n --bind "$2" "$root/run/openvswitch"
mount -n -o remount,bind,nosuid,nodev "$root/run/openvswitch"
enter_root
keep=+chown,+dac_override,+fowner,+kill,+setgid,+setuid,+sys_chroot,+audit_write
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set "-all,$keep" --inh-caps=-all -- /usr/sbin/sshd -i -e -f /run/sshd_config
