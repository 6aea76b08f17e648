// Identifiers: UUIDv7 for rows (ordered by time, so that indexes grow at one end) and opaque global ids for the graph.
import { createHash, randomUUID } from 'node:crypto';

// Milliseconds of the UUID made last.
let lastMs = -1;
let inThisMs = 0;

/**
 * A new UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, 12 bits that count within a millisecond (section 6.2, method
 * 1), 62 random bits. So the ids of one process are in order even if two share a millisecond.
 */
export function newUuid(nowMs: number = Date.now()): string {
  const random = randomUUID();
  // Another process starts at another number, in the lower half: 2,048 more fit into the millisecond.
  inThisMs = nowMs === lastMs ? inThisMs + 1 : Number.parseInt(random.slice(0, 3), 16) >> 1;
  lastMs = nowMs;
  const time = nowMs.toString(16).padStart(12, '0');
  const count = (inThisMs & 0xfff).toString(16).padStart(3, '0');
  // A version 4 UUID has the same bits after its version; node:crypto draws it from a pool of random bytes.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}${random.slice(18)}`;
}

/** The Unix milliseconds in a UUIDv7. */
export function millisecondsOf(uuid: string): number {
  return Number.parseInt(`${uuid.slice(0, 8)}${uuid.slice(9, 13)}`, 16);
}

/** An unguessable UUIDv4: lease tokens and the like. */
export function newToken(): string {
  return randomUUID();
}

/** The UUIDv8 (RFC 9562 section 5.8) that always belongs to these texts, for what is known by them and has no row of its own. */
export function uuidOfTexts(...texts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** The decoded parts of a global id. */
interface GlobalId {
  readonly type: string;
  readonly key: string;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Makes the opaque id of the graph: base64url of `Type:key`. */
export function encodeId(type: string, key: string): string {
  return Buffer.from(`${type}:${key}`, 'utf8').toString('base64url');
}

/** Reads an opaque id; undefined when it is invalid. */
export function decodeId(id: string): GlobalId | undefined {
  if (id.length > 1024) return undefined;
  const text = Buffer.from(id, 'base64url').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1 || encodeId(text.slice(0, colon), text.slice(colon + 1)) !== id) return undefined;
  return { type: text.slice(0, colon), key: text.slice(colon + 1) };
}

/** The UUID in an opaque id of the given type; undefined when it is of another type or invalid. */
export function decodeUuid(type: string, id: string): string | undefined {
  const decoded = decodeId(id);
  return decoded?.type === type && uuidPattern.test(decoded.key) ? decoded.key : undefined;
}
