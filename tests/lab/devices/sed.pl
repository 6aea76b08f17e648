# sed without a buffer is a conversation in lines.
our %program = (
  kind => sub { return $_[1] =~ /^set/ ? 'apply' : 'read'; },
  refusal => sub { return "no-$_[0]"; },
  reads_input => sub { return 1; },
  converses => sub { return scalar grep { $_ eq '-u' } @_; },
  request => sub { return ${$_[0]} =~ s/^(.*\n)// ? $1 : undef; },
  answer => sub { return ${$_[0]} =~ s/^(.*\n)// ? $1 : undef; },
  lone => sub { return $_[0] =~ /hello/; },
  refused => sub { return $_[0] =~ /bad/; },
);
