// The S3 address of a request: bucket and key from its path (path style), and its query. Sizes are checked before anything else reads it.
import { S3Error } from './errors.ts';

export interface S3Address {
  /** As sent, without the query. */
  readonly rawPath: string;
  /** Empty for the service. */
  readonly bucket: string;
  /** Empty for the bucket. */
  readonly key: string;
  /** Decoded, in the order in which they were sent. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly query: ReadonlyMap<string, string>;
}

const mostPairs = 64;
const mostKeyBytes = 1_024;

/** Throws S3Error InvalidURI, KeyTooLongError or InvalidBucketName. */
export function s3AddressOf(url: string): S3Address {
  if (!url.startsWith('/')) throw invalid();
  const question = url.indexOf('?');
  const rawPath = question < 0 ? url : url.slice(0, question);
  const pairs = question < 0 ? [] : pairsOf(url.slice(question + 1));
  const slash = rawPath.indexOf('/', 1);
  const bucket = decoded(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash));
  const key = slash < 0 ? '' : decoded(rawPath.slice(slash + 1));
  if (bucket === '' && key !== '') throw invalid();
  if (bucket !== '') checkBucketName(bucket);
  checkKey(key);
  const query = new Map(pairs);
  if (query.size < pairs.length)
    throw new S3Error('InvalidArgument', 'A query parameter is given twice, which is ambiguous.');
  return { rawPath, bucket, key, pairs, query };
}

function pairsOf(query: string): [string, string][] {
  if (query === '') return [];
  const parts = query.split('&', mostPairs + 1).filter((part) => part !== '');
  if (parts.length > mostPairs) throw invalid();
  return parts.map((part) => {
    const equals = part.indexOf('=');
    const [name, value] = equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    return [decoded(name.replaceAll('+', ' ')), decoded(value.replaceAll('+', ' '))];
  });
}

export function decoded(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw invalid();
  }
}

function invalid(): S3Error {
  return new S3Error(
    'InvalidURI',
    'The URI is not a percent-encoded UTF-8 path with a bucket, a key and a short query.',
  );
}

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > mostKeyBytes)
    throw new S3Error('KeyTooLongError', `A key has at most ${mostKeyBytes} bytes of UTF-8.`, {
      details: { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(mostKeyBytes) },
    });
}

/** Amazon S3 User Guide, "General purpose bucket naming rules". */
export function checkBucketName(name: string): void {
  const isFine =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name);
  if (!isFine)
    throw new S3Error(
      'InvalidBucketName',
      'A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, begins and ends with a letter or digit, and is not an IP address.',
      { details: { BucketName: name } },
    );
}
