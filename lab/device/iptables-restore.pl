# How iptables-restore is read by `logged`: one execution is one request, which is its standard input.
our %program = (
  kind => sub { my ($args) = @_; return (grep { /^(?:--test|-\w*t\w*)$/ } @$args) ? 'dry-run' : 'apply'; },
  reads_input => sub { return 1; },
  refusal => sub { return "iptables-restore: line 2 failed\n"; },
);
