# How ip is read: one execution is one request, on standard input with -batch.
our %program = (
  kind => sub {
    my ($args, $request) = @_;
    return $request =~ /^route (?:add|replace|del) /m ? 'apply' : 'read';
  },
  refusal => sub { "RTNETLINK answers: Operation not permitted\nCommand failed -:1\n" },
  reads_input => sub { grep { $_ eq '-batch' } @_ },
);
1;
