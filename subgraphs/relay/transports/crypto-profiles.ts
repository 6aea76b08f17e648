// The SSH algorithms of each crypto profile, best first. The lists are explicit so that an upgrade of ssh2 does
// not change them silently.

import type { Algorithms } from 'ssh2';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';

/** OpenSSH 9's defaults that ssh2 supports: authenticated encryption or CTR with SHA-2, no SHA-1. */
const modern = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} as const satisfies Algorithms;

/** Also group exchange with SHA-256; the server chooses the group. */
const compat = {
  ...modern,
  kex: [...modern.kex, 'diffie-hellman-group15-sha512', 'diffie-hellman-group-exchange-sha256'],
} as const satisfies Algorithms;

/** Also SHA-1, CBC and ssh-rsa, which devices from before about 2015 need. */
const legacy = {
  kex: [
    ...compat.kex,
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group-exchange-sha1',
    'diffie-hellman-group1-sha1',
  ],
  serverHostKey: [...compat.serverHostKey, 'ssh-rsa'],
  cipher: [...compat.cipher, 'aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
  hmac: [...compat.hmac, 'hmac-sha1-etm@openssh.com', 'hmac-sha1'],
  compress: ['none'],
} as const satisfies Algorithms;

const profiles: Record<CryptoProfile, Algorithms> = { MODERN: modern, COMPAT: compat, LEGACY: legacy };

export function algorithmsOf(profile: CryptoProfile): Algorithms {
  return profiles[profile];
}
