# A NETCONF server of the lab: netconfd (OpenYuma) with YANG modules of the lab's own and those of RFC 8022, behind an SSH subsystem. Its
# configuration is in memory. device/target says what clients edit: candidate (the default) or running.
account='netops:*:0:0:lab:/run/device:/bin/sh'
logged=/usr/sbin/netconf-subsystem
subsystems='netconf /usr/sbin/netconf-subsystem'
keep=

furnish() {
  put /usr/sbin/netconfd
  copy /usr/share/yuma/modules
  mkdir "$root/run/yang" "$root/run/tmp"
  cp "${device%/*}"/yang/*.yang "$root/run/yang/"
  # Its socket is there.
  rmdir "$root/tmp"
  ln -s run/tmp "$root/tmp"
}

begin() {
  # A module of a package that has code of its own (ietf-interfaces) would end it: here modules are data alone.
  target=$(cat /run/device/target 2>/dev/null) || target=candidate
  # Before each commit it writes a backup beside it.
  cd /run/tmp
  /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/run/tmp YUMA_MODPATH=/run/yang:/usr/share/yuma/modules /usr/sbin/netconfd --no-startup \
    --port=22 "--target=$target" --access-control=off --superuser=netops --max-sessions=200 --idle-timeout=0 \
    --module=lab-vpn --module=lab-notes --module=ietf-ipv4-unicast-routing --module=ietf-ipv6-unicast-routing \
    --log=/run/device/netconfd.log --log-level=info >/dev/null 2>&1 &
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    [ ! -S /tmp/ncxserver.sock ] || break
    sleep 0.2
  done
  cd /
}
