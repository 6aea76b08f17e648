// Signs a URL whose holder may send one request without an access key (Amazon S3 API Reference, "Authenticating Requests: Using Query
// Parameters").
import {
  algorithm,
  canonicalRequest,
  sign,
  stringToSign,
  timestampOf,
  unsignedPayload,
  uriEncode,
} from './canonical.ts';
import { deriveKey } from './signing-keys.ts';

interface PresignInput {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Origin of the cluster: scheme, host and port. */
  readonly origin: string;
  readonly container: string;
  readonly name: string;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string;
  readonly nowMs: number;
  /** Up to 7 days. */
  readonly validSeconds: number;
}

export function presign(input: PresignInput): string {
  const { method, origin, container, name, accessKeyId, secret, region, nowMs, validSeconds } = input;
  const rawPath = `/${container}/${name.split('/').map(uriEncode).join('/')}`;
  const timestamp = timestampOf(nowMs);
  const day = timestamp.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const pairs: readonly (readonly [string, string])[] = [
    ['X-Amz-Algorithm', algorithm],
    ['X-Amz-Credential', `${accessKeyId}/${scope}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-Expires', String(validSeconds)],
    ['X-Amz-SignedHeaders', 'host'],
  ];
  const headers = new Map([['host', new URL(origin).host]]);
  const canonical = canonicalRequest({ method, rawPath, pairs, headers }, ['host'], unsignedPayload);
  const signature = sign(deriveKey(secret, day, region), stringToSign(timestamp, scope, canonical)).toString('hex');
  const query = pairs.map(([key, value]) => `${key}=${uriEncode(value)}`).join('&');
  return `${origin}${rawPath}?${query}&X-Amz-Signature=${signature}`;
}
