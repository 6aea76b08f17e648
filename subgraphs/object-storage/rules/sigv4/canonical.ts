// The canonical request of AWS Signature Version 4 in S3's variant: the path is encoded once and not normalised (Amazon S3 API
// Reference, "Signature Calculations for the Authorization Header").
import { createHmac, hash, type KeyObject } from 'node:crypto';

/** The parts of a request that are signed. */
export interface SignedRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly rawPath: string;
  /** Decoded. */
  readonly pairs: readonly (readonly [string, string])[];
  /** By lower-case name; repeated headers are joined with commas. Each character is one byte. */
  readonly headers: ReadonlyMap<string, string>;
}

export const algorithm = 'AWS4-HMAC-SHA256';
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

const unreserved = /^[A-Za-z0-9\-._~]*$/;

/** RFC 3986: encodes everything but unreserved characters. */
export function uriEncode(value: string): string {
  if (unreserved.test(value)) return value;
  return encodeURIComponent(value).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `leftOut`: the query parameter with the signature itself. */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  payloadHash: string,
  leftOut?: string,
): string {
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers.get(name) ?? '')}\n`).join('');
  return [
    request.method,
    canonicalPath(request.rawPath),
    canonicalQuery(request.pairs, leftOut),
    headers,
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

function canonicalPath(rawPath: string): string {
  return rawPath
    .split('/')
    .map((segment) => (unreserved.test(segment) ? segment : uriEncode(decodeURIComponent(segment))))
    .join('/');
}

function canonicalQuery(pairs: SignedRequest['pairs'], leftOut: string | undefined): string {
  if (pairs.length === 0) return '';
  return pairs
    .filter(([name]) => name !== leftOut)
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([name, value], [other, otherValue]) => compare(name, other) || compare(value, otherValue))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function canonicalValue(value: string): string {
  return value.trim().replace(/ {2,}/g, ' ');
}

export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  // Header values are bytes: one character each.
  return `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')}`;
}

export function sign(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** YYYYMMDDTHHMMSSZ. */
export function timestampOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}
