// Opaque secrets for clients: API tokens, refresh tokens and one-time codes. They are 256 random bits (a family or a code 128), so a plain SHA-256 is
// enough for storage; a prefix names the kind, which helps secret scanners and people.
import { createHash, randomBytes } from 'node:crypto';

export const apiTokenPrefix = 'tg_';
export const machineTokenPrefix = 'tgm_';
const joinTokenPrefix = 'tgj_';
const refreshTokenPrefix = 'tgr_';
const loginCodePrefix = 'tgc_';
const refreshTokenBytes = 32;
const familyBytes = 16;
/** Number of characters of an API token that are shown, so that people can distinguish tokens. */
const shownLength = 11;

/** The hash under which a secret is stored and found, hexadecimal. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** A new API token. */
export function newApiToken(): { secret: string; hash: string; prefix: string } {
  const secret = `${apiTokenPrefix}${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashSecret(secret), prefix: secret.slice(0, shownLength) };
}

/** A new token of a machine. */
export function newMachineToken(): string {
  return `${machineTokenPrefix}${randomBytes(32).toString('base64url')}`;
}

/** A new join token. It contains the authority's fingerprint (hexadecimal), by which the machine recognises that authority. */
export function newJoinToken(authoritySha256: string): string {
  return `${joinTokenPrefix}${randomBytes(32).toString('base64url')}.${authoritySha256}`;
}

/**
 * A new refresh token. It names its session and contains the session's family: 128 of its 256 bits, which all refresh tokens of the
 * session share. So a reused earlier token, however old, can be told apart from an invented one.
 */
export function newRefreshToken(
  sessionId: string,
  family: Buffer = randomBytes(familyBytes),
): { secret: string; hash: string; familyHash: string } {
  const random = Buffer.concat([family, randomBytes(refreshTokenBytes - familyBytes)]);
  const secret = `${refreshTokenPrefix}${sessionId}.${random.toString('base64url')}`;
  return { secret, hash: hashSecret(secret), familyHash: hashFamily(family) };
}

/** A new one-time code for a login: 128 random bits, because people may have to copy it. */
export function newLoginCode(): string {
  return `${loginCodePrefix}${randomBytes(16).toString('base64url')}`;
}

export function isLoginCode(text: string): boolean {
  return loginCodePattern.test(text);
}

const loginCodePattern = /^tgc_[A-Za-z0-9_-]{22}$/;
const refreshTokenPattern = /^tgr_([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/;

/** The parts of a refresh token. Undefined if the text is not a refresh token. */
export function readRefreshToken(
  secret: string,
): { sessionId: string; hash: string; family: Buffer; familyHash: string } | undefined {
  const [, sessionId, random] = refreshTokenPattern.exec(secret) ?? [];
  if (sessionId === undefined || random === undefined) return undefined;
  const family = Buffer.from(random, 'base64url').subarray(0, familyBytes);
  return { sessionId, hash: hashSecret(secret), family, familyHash: hashFamily(family) };
}

function hashFamily(family: Buffer): string {
  return createHash('sha256').update(family).digest('hex');
}
