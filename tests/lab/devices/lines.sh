# A device with conversations (the SSH subsystems `lines` and `frames`) and a shell.
account='talker:*:0:0:lab:/run/device:/bin/sh'
logged='/usr/bin/sed /usr/bin/frames'
subsystems='lines /usr/bin/sed -u s/^/got-/
frames /usr/bin/frames'
keep=
# RFC 6242: a greeting that comes in two pieces, then chunked frames.
furnish() {
  cat >"$root/usr/bin/frames" <<'END'
#!/usr/bin/perl
$| = 1;
print '<hello><capa';
select(undef, undef, undef, 0.3);
print 'bilities/></hello>]]>]]>';
my $text = '';
while (sysread(STDIN, $text, 4096, length $text)) {
  while ($text =~ s/\A(<hello.*?\]\]>\]\]>)//s or $text =~ s/\A((?:\n#\d+\n.*?)+?\n##\n)//s) {
    next if $1 =~ /<hello/;
    print $1 =~ /bad/ ? "\n#12\n<rpc-error/>\n##\n" : "\n#5\n<ok/>\n##\n";
  }
}
END
  chmod 755 "$root/usr/bin/frames"
}
begin() { echo begun >/run/begun; }
