// Reasons for failed requests to a server, in words for an operator.

/** Each error with its remedy. docs/dns.md has the same list. */
export const dnsErrors = {
  UNREACHABLE: 'Start the server, or correct dns.servers.',
  TIMED_OUT: 'Check the server and the path to it; a firewall must let UDP and TCP pass.',
  BAD_ANSWER:
    'Check the program at that address: it is not a DNS server with RFC 2136, or something on the path damages answers.',
  NOT_SIGNED: 'Something between Tidegate and the server may be forging answers, or the secrets of the key differ.',
  BAD_KEY: 'Give the server the key of dns.tsigKeyFile, by its name.',
  BAD_SIGNATURE: 'Give both sides the same secret.',
  BAD_TIME: 'Set both clocks, best by NTP.',
  REFUSED: 'Allow the key of dns.tsigKeyFile to update the zone and to query it.',
  NOT_AUTHORITATIVE: 'Create the zone at the server, as a primary one.',
  SERVER_FAILURE: "Read the server's log.",
  NAME_TAKEN_BY_OTHERS: 'Remove the records that others made at the name, or choose another name.',
  NOT_AS_PUBLISHED: "Switch the server's caches off, and look for other records at the name.",
  BAD_CERTIFICATE: "Give the backend the fingerprint of the server's certificate, or the authority that signed it.",
  UNAUTHORIZED: 'Give the backend a key or account that the server takes.',
  EGRESS_DENIED: 'Have the operator allow the address in egress.allow, or give the backend another one.',
  CHANGED_MEANWHILE: 'Nothing: it is tried again.',
} as const satisfies Readonly<Record<string, string>>;

export type DnsErrorCode = keyof typeof dnsErrors;

export class DnsError extends Error {
  readonly code: DnsErrorCode;

  constructor(code: DnsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DnsError';
    this.code = code;
  }
}

/** Puts the server's name before its message. */
export function named({ name }: { readonly name: string }, error: DnsError): DnsError {
  return new DnsError(error.code, `${name}: ${error.message}`, { cause: error });
}
