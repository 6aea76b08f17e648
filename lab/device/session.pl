# How the login shell of a device is read by `logged`: what a session is asked to run, and the input that reached it, also where that is cut short.
our %program = (
  kind => sub { return 'session'; },
  reads_input => sub { return 1; },
  refusal => sub { return "refused\n"; },
);
