// TLS 1.2 ciphers that a listener or pool may name: the ciphers of OpenSSL 3.0 at its default security level. Ciphers that no certificate
// here can use (PSK, SRP), that authenticate nobody or that encrypt nothing are excluded.

const ciphers = [
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ...['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ...['DHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-AES256-GCM-SHA384', 'DHE-RSA-CHACHA20-POLY1305'],
  ...['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-RSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-RSA-AES256-SHA384'],
  ...['ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA', 'ECDHE-RSA-AES256-SHA'],
  ...['DHE-RSA-AES128-SHA256', 'DHE-RSA-AES256-SHA256', 'AES128-GCM-SHA256', 'AES256-GCM-SHA384'],
  ...['AES128-SHA256', 'AES256-SHA256', 'AES128-SHA', 'AES256-SHA'],
] as const;

const known: ReadonlySet<string> = new Set(ciphers);

/** A phrase that continues the field's name. Undefined if there is no fault. */
export function ciphersFault(names: string): string | undefined {
  const unknown = names.split(':').find((name) => !known.has(name));
  return unknown === undefined
    ? undefined
    : `names ${JSON.stringify(unknown.slice(0, 40))}, which is unknown or weak; ${ciphers[0]} is one that is accepted`;
}
