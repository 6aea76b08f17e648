#!/bin/sh
# First process of the lab's firewall, in its own network, mount and process namespaces.
# in:   $1 the lab's folder (keys/, device/, mount/), $2 the folder of this script, $3 the address to listen on
# does: creates a private /run with an account database and the logging nft, then becomes sshd
# must hold: outside the lab's folder nothing is written and no mount is visible; the login can't get CAP_SYS_ADMIN
set -eu
# -n everywhere: mount would write a table in /run, which is being replaced here.
lab=$1 here=$2 address=$3 run=$1/mount

mount -n -t tmpfs -o mode=755 tmpfs "$run"
mkdir -p "$run/sshd" "$run/keys" "$run/device"
cp "$lab/keys/host_key" "$lab/keys/authorized_keys" "$run/keys/"
chmod 600 "$run/keys/host_key"
cp "$here/sshd_config" "$run/sshd_config"
case $(uname -m) in aarch64) clock_gettime=113 ;; *) clock_gettime=228 ;; esac
sed "s/^my \$CLOCK_GETTIME = .*/my \$CLOCK_GETTIME = $clock_gettime;/" "$here/nft" >"$run/nft-logged"
chmod 755 "$run/nft-logged"
mount -n --bind "$lab/device" "$run/device"
nft=$(readlink -f /usr/sbin/nft)
: >"$run/nft"
mount -n --bind "$nft" "$run/nft"
printf '%s\n' 'netops:*:0:0:lab:/run/device:/bin/sh' 'root:*:0:0:root:/nonexistent:/usr/sbin/nologin' \
  'sshd:*:102:65534::/run/sshd:/usr/sbin/nologin' 'nobody:*:65534:65534::/nonexistent:/usr/sbin/nologin' >"$run/passwd"
printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$run/group"

mount -n --move "$run" /run
mount -n --bind /run/nft-logged "$nft"
mount -n --bind /run/passwd /etc/passwd
mount -n --bind /run/group /etc/group
# A login may change the firewall, not this machine. Some hosts can't make their root read-only; the lab works anyway.
mount -n -o remount,bind,ro / 2>/dev/null || :

# From OpenSSH 9.8 on a client that fails often is blocked for a while; tests fail often. Older versions don't know the option.
set -- -D -e -f /run/sshd_config -o "ListenAddress=$address:22"
if /usr/sbin/sshd -t -f /run/sshd_config -o PerSourcePenalties=no 2>/dev/null; then set -- "$@" -o PerSourcePenalties=no; fi
keep=+chown,+dac_override,+fowner,+kill,+setgid,+setuid,+net_bind_service,+net_admin,+net_raw,+sys_chroot,+audit_write
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set "-all,$keep" --inh-caps=-all -- /usr/sbin/sshd "$@"
