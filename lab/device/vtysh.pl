# How vtysh is read by `logged`: one execution is one request; its standard input belongs to it where -f names it.
our %program = (
  kind => sub {
    my ($args) = @_;
    return 'dry-run' if grep { $_ eq '-C' || $_ eq '--dryrun' } @$args;
    return 'apply' if grep { $_ eq '-f' || /^(?:write|copy|conf|clear)/ } @$args;
    return 'read';
  },
  reads_input => sub { return scalar grep { m{/dev/stdin$} } @_; },
  refusal => sub { return "% Unknown command: refused\n"; },
);
