# A router by the Linux kernel behind a shell. It has no routes at first; its interfaces are those of its network namespace.
account='netops:*:0:0:lab:/run/device:/bin/sh'
# Debian has it in both folders.
logged='/usr/sbin/ip
/usr/bin/ip'
subsystems=
keep=+net_admin

furnish() { :; }

begin() { :; }
