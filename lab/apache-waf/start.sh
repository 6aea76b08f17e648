#!/bin/sh
# First process of the lab's web application firewall, in its own mount and process namespaces.
# in:   $1 the lab's folder (keys/, etc/, device/, mount/), $2 the folder of this script
# does: creates a private /run with an account database, mounts etc/ over /etc/apache2, then becomes Apache
# must hold: outside the lab's folder nothing is written and no mount is visible; a login has only the rights kept here
set -eu
# -n everywhere: mount would write a table in /run, which is being replaced here.
lab=$1 here=$2 run=$1/mount

mount -n -t tmpfs -o mode=755 tmpfs "$run"
mkdir -p "$run/sshd" "$run/keys" "$run/device" "$run/bin" "$run/apache2" "$run/lock"
cp "$lab/keys/host_key" "$lab/keys/authorized_keys" "$run/keys/"
chmod 600 "$run/keys/host_key"
cp "$here/sshd_config" "$run/sshd_config"
cp "$here/apache2ctl" "$run/bin/apache2ctl"
chmod 755 "$run/bin/apache2ctl"
mount -n --bind "$lab/device" "$run/device"
printf '%s\n' 'netops:*:0:0:lab:/run/device:/bin/sh' 'root:*:0:0:root:/nonexistent:/usr/sbin/nologin' \
  'www-data:*:33:33::/nonexistent:/usr/sbin/nologin' 'sshd:*:102:65534::/run/sshd:/usr/sbin/nologin' >"$run/passwd"
printf '%s\n' 'root:x:0:' 'www-data:x:33:' 'nogroup:x:65534:' >"$run/group"

mount -n --bind "$lab/etc" /etc/apache2
mount -n --move "$run" /run
mount -n --bind /run/passwd /etc/passwd
mount -n --bind /run/group /etc/group
# A login may change the firewall, not this machine. Some hosts can't make their root read-only; the lab works anyway.
mount -n -o remount,bind,ro / 2>/dev/null || :

exec /usr/bin/env -i PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 apache2ctl -D FOREGROUND
