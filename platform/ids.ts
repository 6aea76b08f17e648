// Identifiers: UUIDv7 for rows (ordered by time, so that indexes grow at one end) and opaque global ids for the graph.
import { randomBytes, randomUUID } from 'node:crypto';

/** A new UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then random bits. */
export function newUuid(nowMs: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** An unguessable UUIDv4: lease tokens and the like. */
export function newToken(): string {
  return randomUUID();
}

/** What a global id stands for. */
export interface GlobalId {
  readonly type: string;
  readonly key: string;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Makes the opaque id of the graph: base64url of `Type:key`. */
export function encodeId(type: string, key: string): string {
  return Buffer.from(`${type}:${key}`, 'utf8').toString('base64url');
}

/** Reads an opaque id; undefined when it is none. */
export function decodeId(id: string): GlobalId | undefined {
  if (id.length > 1024) return undefined;
  const text = Buffer.from(id, 'base64url').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1 || encodeId(text.slice(0, colon), text.slice(colon + 1)) !== id) return undefined;
  return { type: text.slice(0, colon), key: text.slice(colon + 1) };
}

/** The UUID in an opaque id of the given type; undefined when it is another type's or no id at all. */
export function decodeUuid(type: string, id: string): string | undefined {
  const decoded = decodeId(id);
  return decoded?.type === type && uuidPattern.test(decoded.key) ? decoded.key : undefined;
}
