our %program = (
  kind => sub { return "@{$_[0]}" =~ /set/ ? 'apply' : 'read'; },
  refusal => sub { return "refused\n"; },
  reads_input => sub { return 0; },
);
