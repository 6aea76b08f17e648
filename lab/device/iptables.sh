# A firewall by iptables behind a shell. It has no rules at first.
account='netops:*:0:0:lab:/run/device:/bin/sh'
logged='/usr/sbin/iptables-restore
/usr/sbin/ip6tables-restore'
subsystems=
keep=+net_admin,+net_raw

furnish() {
  put /usr/sbin/iptables /usr/sbin/ip6tables grep sed wc
  copy /usr/lib/*-linux-gnu/xtables /etc/protocols /etc/services
}

begin() { :; }
