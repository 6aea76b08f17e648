# How nft is read by `logged`: one execution is one request; its standard input belongs to it where -f names it.
our %program = (
  kind => sub {
    my ($args, $input) = @_;
    return 'dry-run' if grep { $_ eq '--check' || /^-[abejnNopsStTuy]*c/ } @$args;
    my $changes = $input ne ''
      ? $input =~ /"(?:add|insert|create|delete|destroy|replace|flush|rename|reset)"\s*:|^\s*(?:add|insert|create|delete|destroy|replace|flush|rename|reset|table)\b/m
      : grep { /^(?:add|insert|create|delete|destroy|replace|flush|rename|reset)\b/ } @$args;
    return $changes ? 'apply' : 'read';
  },
  reads_input => sub { return scalar grep { $_ eq '-' || m{^-[a-zA-Z]*f-$|^--file=-$|/dev/stdin$} } @_; },
  refusal => sub { return "Error: Could not process rule: Operation not permitted\n"; },
);
