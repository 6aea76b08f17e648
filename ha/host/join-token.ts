// A token for joining: a secret, and the fingerprint of the authority to expect.

import { createHash, randomBytes } from 'node:crypto';

const pattern = /^tgh_([\w-]{43})\.([0-9a-f]{64})$/;

export function newJoinToken(authoritySha256: string): string {
  return `tgh_${randomBytes(32).toString('base64url')}.${authoritySha256}`;
}

/** The authority's fingerprint. Undefined if the text is not a token of a cluster of hosts. */
export function authorityOfHostToken(token: string): string | undefined {
  return pattern.exec(token)?.[2];
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
