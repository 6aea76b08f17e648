// The opaque secrets we hand out: API tokens and refresh tokens. They are 256 random bits, so a plain SHA-256 is enough to
// store them by; the text says what it is, which helps secret scanners and people.
import { createHash, randomBytes } from 'node:crypto';

export const apiTokenPrefix = 'tg_';
const refreshTokenPrefix = 'tgr_';
/** Characters of an API token that are shown for telling tokens apart. */
const shownLength = 11;

/** The hash a secret is stored and found by, hexadecimal. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** A new API token. */
export function newApiToken(): { secret: string; hash: string; prefix: string } {
  const secret = `${apiTokenPrefix}${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashSecret(secret), prefix: secret.slice(0, shownLength) };
}

/** A new refresh token. It names its session, so that any used one that comes again, however old, is noticed. */
export function newRefreshToken(sessionId: string): { secret: string; hash: string } {
  const secret = `${refreshTokenPrefix}${sessionId}.${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashSecret(secret) };
}

const refreshTokenPattern = /^tgr_([0-9a-f-]{36})\.[A-Za-z0-9_-]{43}$/;

/** The session a refresh token names; undefined when the text is none. */
export function sessionOfRefreshToken(secret: string): string | undefined {
  return refreshTokenPattern.exec(secret)?.[1];
}
