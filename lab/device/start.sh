#!/bin/sh
# First process of the lab's firewall, in its own network, mount and process namespaces.
# in:   $1 the lab's folder (keys/, device/, mount/), $2 the folder of this script, $3 the address to listen on
# does: lays out its own root folder with the logging nft, then becomes sshd
# must hold: outside the lab's folder nothing is written and no mount is visible; the login sees of this machine only device/, and can't
#            get CAP_SYS_ADMIN
set -eu
lab=$1 here=$2 address=$3
. "$here/../own-root.sh"

lay_root "$lab/mount" 'netops:*:0:0:lab:/run/device:/bin/sh'
put /usr/sbin/nft perl
# Names of protocols, services and marks, as nft prints them.
copy /etc/protocols /etc/services /etc/iproute2 /usr/share/iproute2 /etc/xtables
mkdir "$root/run/keys" "$root/run/device"
cp "$lab/keys/host_key" "$lab/keys/authorized_keys" "$root/run/keys/"
chmod 600 "$root/run/keys/host_key"
cp "$lab/keys/machine-id" "$root/etc/machine-id"
cp "$here/sshd_config" "$root/run/sshd_config"
mv "$root/usr/sbin/nft" "$root/run/nft"
case $(uname -m) in aarch64) clock_gettime=113 ;; *) clock_gettime=228 ;; esac
sed "s/^my \$CLOCK_GETTIME = .*/my \$CLOCK_GETTIME = $clock_gettime;/" "$here/nft" >"$root/usr/sbin/nft"
chmod 755 "$root/usr/sbin/nft"
mount -n --bind "$lab/device" "$root/run/device"
mount -n -o remount,bind,nosuid,nodev "$root/run/device"
enter_root

# From OpenSSH 9.8 on a client that fails often is blocked for a while; tests fail often. Older versions don't know the option.
set -- -D -e -f /run/sshd_config -o "ListenAddress=$address:22"
if /usr/sbin/sshd -t -f /run/sshd_config -o PerSourcePenalties=no 2>/dev/null; then set -- "$@" -o PerSourcePenalties=no; fi
keep=+chown,+dac_override,+fowner,+kill,+setgid,+setuid,+net_bind_service,+net_admin,+net_raw,+sys_chroot,+audit_write
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set "-all,$keep" --inh-caps=-all -- /usr/sbin/sshd "$@"
