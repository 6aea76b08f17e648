// The query parameters, headers and conditions that each operation accepts. All others ask for something that is not implemented, and are
// refused before anything happens: ignoring them would do something else than the client asked for.
import { type Call, header } from './call.ts';
import { checksumHeaders, isChecksum } from './checksums.ts';
import { notImplemented, S3Error } from './errors.ts';
import { optionHeader } from './option.ts';

export interface Accepted {
  readonly query?: readonly string[];
  readonly headers?: readonly string[];
}

/** Accepted by every operation. SDKs add `x-id` with the operation's name. */
const commonQuery: ReadonlySet<string> = new Set(['x-id']);
const presignedQuery: ReadonlySet<string> = new Set([
  ...['X-Amz-Algorithm', 'X-Amz-Content-Sha256', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires'],
  ...['X-Amz-Signature', 'X-Amz-SignedHeaders'],
]);
const commonHeaders: ReadonlySet<string> = new Set([
  ...['x-amz-content-sha256', 'x-amz-date', 'x-amz-expected-bucket-owner', 'x-amz-request-payer', 'x-amz-user-agent'],
  ...['x-tidegate-project', 'x-tidegate-read'],
]);

export const bodyHeaders: readonly string[] = [
  ...[...checksumHeaders, 'x-amz-decoded-content-length', 'x-amz-sdk-checksum-algorithm', 'x-amz-trailer'],
];
export const writeConditions: readonly string[] = ['if-match', 'if-none-match'];
export const readConditions: readonly string[] = [
  ...[...writeConditions, 'if-modified-since', 'if-unmodified-since', 'if-range', 'range'],
];
export const copyHeaders: readonly string[] = [
  ...['x-amz-copy-source', 'x-amz-copy-source-if-match', 'x-amz-copy-source-if-none-match'],
  ...['x-amz-copy-source-if-modified-since', 'x-amz-copy-source-if-unmodified-since'],
  'x-amz-source-expected-bucket-owner',
];
const metadata = 'x-amz-meta-';
/** Headers that are stored with an object's bytes. */
export const newObjectHeaders: readonly string[] = [metadata, 'x-amz-acl', 'x-amz-storage-class', optionHeader];

/** Headers that change how a request is carried out. Others, such as User-Agent, change nothing. */
const isWish = (name: string): boolean => /^(x-amz-|x-tidegate-|if-)/.test(name) || isRange(name);
const isRange = (name: string): boolean => name === 'range' || name === 'content-range';

const isOneOf =
  (...values: readonly string[]) =>
  (value: string) =>
    values.includes(value.toLowerCase());
const isAlgorithm = (value: string): boolean => isChecksum(`x-amz-checksum-${value.toLowerCase()}`);

/** For a header, or a parameter with that name: the values that ask for nothing that is not implemented. */
const values: Readonly<Record<string, (value: string) => boolean>> = {
  'x-amz-acl': isOneOf('private', 'bucket-owner-read', 'bucket-owner-full-control'),
  'x-amz-bucket-object-lock-enabled': isOneOf('false'),
  'x-amz-bypass-governance-retention': isOneOf('true', 'false'),
  'x-amz-checksum-algorithm': isAlgorithm,
  'x-amz-checksum-mode': isOneOf('enabled'),
  'x-amz-object-ownership': isOneOf('bucketownerenforced'),
  'x-amz-optional-object-attributes': isOneOf('restorestatus'),
  'x-amz-request-payer': isOneOf('requester'),
  'x-amz-sdk-checksum-algorithm': isAlgorithm,
  'x-amz-tagging-directive': isOneOf('copy'),
};

/** Throws S3Error. */
export function refuseUnknown(call: Call, { query = [], headers = [] }: Accepted): void {
  const { s3Address, request } = call;
  const isPresigned = s3Address.query.has('X-Amz-Signature');
  for (const [name, value] of s3Address.query) {
    const isKnown = commonQuery.has(name) || query.includes(name) || (isPresigned && presignedQuery.has(name));
    if (!isKnown) throw notImplemented(`The query parameter ${shown(name)} of this request`);
    checkValue(name, value);
  }
  for (const name of Object.keys(request.headers)) {
    if (!isWish(name)) continue;
    const isMetadata = name.startsWith(metadata) && headers.includes(metadata);
    if (!commonHeaders.has(name) && !headers.includes(name) && !isMetadata)
      throw notImplemented(`The header ${shown(name)} of this request`);
    checkValue(name, header(call, name) ?? '');
  }
}

function checkValue(name: string, value: string): void {
  if (name === 'x-amz-storage-class' && value !== 'STANDARD')
    throw new S3Error('InvalidStorageClass', 'The only storage class here is STANDARD.');
  if (Object.hasOwn(values, name) && values[name]?.(value) === false)
    throw notImplemented(`${name} with the value ${shown(value)}`);
}

function shown(text: string): string {
  return text.slice(0, 100);
}
