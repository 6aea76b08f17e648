// TLS versions and cipher suites of each crypto profile, best first. Lists are explicit: OpenSSL's own default still has RSA key
// exchange, and changes with its versions.

import { constants } from 'node:crypto';
import type { SecureVersion } from 'node:tls';

export type CryptoProfile = 'MODERN' | 'COMPAT' | 'LEGACY';

interface TlsProfile {
  readonly minVersion: SecureVersion;
  /** OpenSSL's cipher list, ciphers(1), with the TLS 1.3 suites and the security level of SSL_CTX_set_security_level(3). */
  readonly ciphers: string;
  /** Bits of SSL_CTX_set_options(3). */
  readonly secureOptions: number;
}

const tls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** Ephemeral keys and authenticated encryption (RFC 9325 section 4.2). */
const ephemeralAuthenticated = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap((cipher) => [
  `ECDHE-ECDSA-${cipher}`,
  `ECDHE-RSA-${cipher}`,
]);

/** The best suites of devices from the years of TLS 1.2: CBC, finite-field keys, RSA key exchange. */
const older = [
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES256-SHA256',
];

/** The suites of TLS 1.0 (RFC 4346, RFC 4492) that OpenSSL still supports. */
const oldest = [
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'DHE-RSA-AES128-SHA',
  'DHE-RSA-AES256-SHA',
  'AES128-SHA',
  'AES256-SHA',
];

const listOf = (securityLevel: number, ...suites: readonly string[]): string =>
  [...suites, `@SECLEVEL=${securityLevel}`].join(':');

const profiles: Record<CryptoProfile, TlsProfile> = {
  MODERN: { minVersion: 'TLSv1.2', ciphers: listOf(2, ...tls13, ...ephemeralAuthenticated), secureOptions: 0 },
  // Level 1 accepts keys of 1024 bits, and no SHA-1.
  COMPAT: {
    minVersion: 'TLSv1.2',
    ciphers: listOf(1, ...tls13, ...ephemeralAuthenticated, ...older),
    secureOptions: 0,
  },
  // Level 0 accepts anything; such devices also lack RFC 5746 (secure renegotiation).
  LEGACY: {
    minVersion: 'TLSv1',
    ciphers: listOf(0, ...tls13, ...ephemeralAuthenticated, ...older, ...oldest),
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
  },
};

export function tlsProfileOf(profile: CryptoProfile): TlsProfile {
  return profiles[profile];
}
