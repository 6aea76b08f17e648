# Frames of NETCONF: 1.0 ends with ]]>]]>, 1.1 is chunked.
sub cut {
  my ($text) = @_;
  return $1 if $$text =~ s/\A((?:\n#\d+\n.*?)+?\n##\n)//s;
  return $1 if $$text =~ s/\A(\s*<.*?\]\]>\]\]>)//s;
  return undef;
}
our %program = (
  kind => sub { return $_[1] =~ /<edit-config/ ? 'apply' : 'read'; },
  refusal => sub { return "\n#12\n<rpc-error/>\n##\n"; },
  reads_input => sub { return 0; },
  converses => sub { return 1; },
  request => \&cut,
  answer => \&cut,
  lone => sub { return $_[0] =~ /<hello/; },
  refused => sub { return $_[0] =~ /<rpc-error/; },
);
