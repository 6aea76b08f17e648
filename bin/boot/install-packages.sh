#!/bin/sh
# Installs Debian packages without starting or enabling a service.
# in:   $1 folder of this script, $2 "update" to read the package lists first or "keep", then the packages; must be root
# must hold: the machine's own policy-rc.d is never changed. Another one is bind-mounted over it in a private mount namespace,
#            which ends with this process in any case. If there is none to mount over, the two programs that would call it
#            are replaced instead. If no namespace can be made (in a container), the file is created only if there is none.
set -eu
if [ "${TIDEGATE_PRIVATE_MOUNTS:-}" = '' ] && unshare --mount --propagation private true 2>/dev/null; then
  TIDEGATE_PRIVATE_MOUNTS=yes exec unshare --mount --propagation private sh "$0" "$@"
fi
here=$1 lists=$2
shift 2

policy=/usr/sbin/policy-rc.d
if [ "${TIDEGATE_PRIVATE_MOUNTS:-}" = yes ]; then
  if [ -e "$policy" ]; then
    mount -n --bind "$here/policy-rc.d" "$policy"
  else
    for program in /usr/sbin/invoke-rc.d /usr/bin/deb-systemd-invoke; do
      [ ! -e "$program" ] || mount -n --bind /usr/bin/true "$program"
    done
  fi
elif [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  cp "$here/policy-rc.d" "$policy"
  chmod 755 "$policy"
fi

# Programs whose packages enable units for the next boot.
services='/usr/sbin/sshd:ssh.service:ssh.socket
/usr/sbin/ovs-vswitchd:openvswitch-switch.service:ovs-record-hostname.service
/usr/sbin/apache2ctl:apache2.service:apache-htcacheclean.service
/usr/sbin/haproxy:haproxy.service
/usr/sbin/keepalived:keepalived.service
/usr/sbin/pdns_server:pdns.service
/usr/sbin/nginx:nginx.service
/usr/sbin/named:named.service:named-resolvconf.service
/usr/sbin/knotd:knot.service
/usr/sbin/collectd:collectd.service
/usr/bin/etcd:etcd.service
/usr/bin/garbd:garb.service
/usr/sbin/dockerd:docker.service:docker.socket
/usr/lib/frr/zebra:frr.service'
new=
for service in $services; do
  [ -e "${service%%:*}" ] || new="$new $service"
done

# needrestart, if installed, would restart services by itself.
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8
set -- install --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
[ "$lists" = keep ] || apt-get update --quiet -o DPkg::Lock::Timeout=300
if ! apt-get "$@"; then
  [ "$lists" = keep ] || exit 1
  # Most likely the lists are older than the mirror's packages.
  apt-get update --quiet -o DPkg::Lock::Timeout=300
  apt-get "$@"
fi

# The service of an already installed program stays unchanged.
for service in $new; do
  [ -e "${service%%:*}" ] || continue
  for unit in $(printf '%s' "${service#*:}" | tr ':' ' '); do
    deb-systemd-helper disable "$unit" >/dev/null 2>&1 || :
    update-rc.d "${unit%.*}" disable >/dev/null 2>&1 || :
  done
done
