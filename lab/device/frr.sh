# A router of the lab: FRR's zebra, staticd and bgpd, and vtysh behind a shell. Its saved configuration is in device/frr of its folder.
account='netops:*:0:0:lab:/run/device:/usr/bin/session
frr:*:110:110::/run/frr:/usr/sbin/nologin'
logged='/usr/bin/session /usr/bin/vtysh'
subsystems=
keep=+net_admin,+net_raw

furnish() {
  # A call is a script that runs vtysh once its input is whole: the shell's log has those that never got so far.
  cp "$root/bin/sh" "$root/usr/bin/session"
  put /usr/lib/frr/zebra /usr/lib/frr/staticd /usr/lib/frr/bgpd awk sed grep
  copy /etc/iproute2 /usr/share/iproute2
  # vtysh asks PAM; who may connect to the daemons decides, as in Debian's package.
  copy /usr/lib/*-linux-gnu/security/pam_permit.so
  mkdir -p "$root/etc/pam.d"
  printf '%s\n' 'auth sufficient pam_permit.so' 'account sufficient pam_permit.so' >"$root/etc/pam.d/frr"
  printf '%s\n' 'frr:x:110:' 'frrvty:x:111:frr,netops' >>"$root/etc/group"
  mkdir -p "$root/var" "$root/run/frr" "$root/run/tmp"
  ln -s /run "$root/var/run"
  ln -s /run/tmp "$root/var/tmp"
  ln -s /run/device/frr "$root/etc/frr"
  chown 110:110 "$root/run/frr"
}

begin() {
  for daemon in zebra staticd bgpd; do
    "/usr/lib/frr/$daemon" -d -A 127.0.0.1 || exit
  done
  # Daemons listen as soon as they have forked; what they do not know yet they are told once more.
  for try in 1 2 3 4 5; do
    [ ! -S /run/frr/zebra.vty ] || [ ! -S /run/frr/staticd.vty ] || [ ! -S /run/frr/bgpd.vty ] || break
    sleep 0.2
  done
  /run/real/vtysh -b >/dev/null 2>&1 || :
}
