#!/bin/sh
# First process of the lab's web application firewall, in its own mount and process namespaces.
# in:   $1 the lab's folder (keys/, etc/, device/, mount/), $2 the folder of this script
# does: lays out its own root folder with etc/ as /etc/apache2, then becomes Apache
# must hold: outside the lab's folder nothing is written and no mount is visible; a login sees of this machine only etc/ and device/, and
#            has no more rights than are kept for it
set -eu
lab=$1 here=$2
. "$here/../own-root.sh"

lay_root "$lab/mount" 'netops:*:0:0:lab:/run/device:/bin/sh
www-data:*:33:33::/nonexistent:/usr/sbin/nologin'
put /usr/sbin/apache2 dpkg-query /usr/lib/apache2/modules/*.so
copy /usr/share/modsecurity-crs /etc/modsecurity
# What dpkg-query knows: one package.
mkdir -p "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/info"
dpkg-query --status libapache2-mod-security2 >"$root/var/lib/dpkg/status" 2>/dev/null || :
mkdir -p "$root/run/keys" "$root/run/device" "$root/run/apache2" "$root/run/lock" "$root/etc/apache2"
cp "$lab/keys/host_key" "$lab/keys/authorized_keys" "$root/run/keys/"
chmod 600 "$root/run/keys/host_key"
cp "$lab/keys/machine-id" "$root/etc/machine-id"
cp "$here/sshd_config" "$root/run/sshd_config"
cp "$here/apache2ctl" "$root/usr/sbin/apache2ctl"
chmod 755 "$root/usr/sbin/apache2ctl"
for name in device:run/device etc:etc/apache2; do
  mount -n --bind "$lab/${name%%:*}" "$root/${name#*:}"
  mount -n -o remount,bind,nosuid,nodev "$root/${name#*:}"
done
enter_root

exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 apache2ctl -D FOREGROUND
