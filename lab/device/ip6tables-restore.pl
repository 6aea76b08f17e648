# ip6tables-restore is read by `logged` as iptables-restore is.
do '/run/logged/iptables-restore.pl';
