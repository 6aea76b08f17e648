# How NETCONF is read by `logged`: each execution is a conversation, in frames of RFC 6242. A commit is about the edits before it.
my ($begun, $client_chunks, $server_chunks, $edits) = (0, 0, 0, '');

sub take_marked { return ${$_[0]} =~ s/^(.*?\]\]>\]\]>)//s ? $1 : undef; }

# The chunks of one message with their headers and end.
sub take_chunked {
  my ($text) = @_;
  my $at = 0;
  while (substr($$text, $at, 13) =~ /^\n#(?:([1-9]\d{0,9})|(#))\n/) {
    if (defined $2) { my $whole = substr($$text, 0, $at + 4); substr($$text, 0, $at + 4) = ''; return $whole; }
    $at += length($1) + 3 + $1;
    return undef if $at > length $$text;
  }
  return undef;
}

sub unframed {
  my ($frame) = @_;
  return $frame if $frame =~ s/\]\]>\]\]>$//;
  my ($message, $at) = ('', 0);
  while (substr($frame, $at, 13) =~ /^\n#([1-9]\d{0,9})\n/) {
    $message .= substr($frame, $at + length($1) + 3, $1);
    $at += length($1) + 3 + $1;
  }
  return $message;
}

our %program = (
  kind => sub {
    my ($args, $request) = @_;
    my $message = unframed($request);
    return 'apply' if $message =~ /<commit\b/ || $message =~ m{<target>\s*<running\b};
    return 'read';
  },
  # Also what an edit changed, if it is committed now.
  subject => sub {
    my $message = unframed($_[0]);
    if ($message =~ /<edit-config\b/) { $edits = $message; }
    elsif ($message =~ /<discard-changes\b/) { $edits = ''; }
    elsif ($message =~ /<commit\b/) { my $all = "$edits\n$message"; $edits = ''; return $all; }
    return $message;
  },
  refusal => sub {
    my ($id) = unframed($_[0]) =~ /message-id="([^"]*)"/;
    my $reply = "<rpc-reply message-id=\"$id\" xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><rpc-error><error-type>application</error-type>"
      . '<error-tag>operation-failed</error-tag><error-severity>error</error-severity><error-message>refused</error-message></rpc-error></rpc-reply>';
    return $client_chunks && $server_chunks ? "\n#" . length($reply) . "\n$reply\n##\n" : "$reply]]>]]>";
  },
  reads_input => sub { return 0; },
  converses => sub { return 1; },
  request => sub {
    my ($text) = @_;
    return take_chunked($text) if $begun && $client_chunks && $server_chunks;
    my $frame = take_marked($text);
    if (defined $frame && !$begun) { $begun = 1; $client_chunks = $frame =~ /netconf:base:1\.1</; }
    return $frame;
  },
  answer => sub {
    my ($text) = @_;
    return take_chunked($text) if $client_chunks && $server_chunks && $$text =~ /^\n#/;
    my $frame = take_marked($text);
    $server_chunks = 1 if defined $frame && $frame =~ /<hello\b/ && $frame =~ /netconf:base:1\.1</;
    return $frame;
  },
  lone => sub { return $_[0] =~ /<(?:\w+:)?hello\b/; },
  refused => sub { return unframed($_[0]) =~ /<(?:\w+:)?rpc-error\b/; },
);
