// The headers of an object: what a client may set with it, and what it gets with it.
import type { ObjectHeaders, ObjectStat } from '../namespace/namespace.ts';
import { type Call, type Headers, header } from './call.ts';
import { notImplemented, S3Error } from './errors.ts';

const metadataPrefix = 'x-amz-meta-';
const defaultType = 'binary/octet-stream';
const mostMetadataBytes = 2_048;
const mostHeaderBytes = 1_024;

/** Throws S3Error. */
export function objectHeadersOf(call: Call): ObjectHeaders {
  const cacheControl = fieldOf(call, 'cache-control');
  const contentDisposition = fieldOf(call, 'content-disposition');
  const contentEncoding = encodingOf(call);
  const contentLanguage = fieldOf(call, 'content-language');
  const expires = fieldOf(call, 'expires');
  return {
    contentType: fieldOf(call, 'content-type') ?? defaultType,
    ...(cacheControl === undefined ? {} : { cacheControl }),
    ...(contentDisposition === undefined ? {} : { contentDisposition }),
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
    ...(contentLanguage === undefined ? {} : { contentLanguage }),
    ...(expires === undefined ? {} : { expires }),
    metadata: metadataOf(call),
  };
}

function fieldOf(call: Call, name: string): string | undefined {
  const value = header(call, name);
  if (value === undefined || value === '') return undefined;
  if (value.length > mostHeaderBytes)
    throw new S3Error('InvalidArgument', `The header ${name} has at most ${mostHeaderBytes} bytes.`);
  return utf8Of(name, value);
}

/** aws-chunked is how the body came, and no property of the object. */
function encodingOf(call: Call): string | undefined {
  const codings = (fieldOf(call, 'content-encoding') ?? '').split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding !== '' && coding !== 'aws-chunked').join(',') || undefined;
}

function metadataOf(call: Call): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const name of Object.keys(call.request.headers)) {
    if (!name.startsWith(metadataPrefix)) continue;
    const value = header(call, name) ?? '';
    bytes += name.length - metadataPrefix.length + value.length;
    metadata[name.slice(metadataPrefix.length)] = utf8Of(name, value);
  }
  if (bytes > mostMetadataBytes)
    throw new S3Error(
      'MetadataTooLarge',
      `Names and values of user metadata have at most ${mostMetadataBytes} bytes.`,
      {
        details: { Size: String(bytes), MaxSizeAllowed: String(mostMetadataBytes) },
      },
    );
  return metadata;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Node gives a header's bytes one character each. */
function utf8Of(name: string, value: string): string {
  try {
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    throw new S3Error('InvalidArgument', `The header ${name} is not UTF-8.`, { details: { ArgumentName: name } });
  }
}

export function headersOf(stat: ObjectStat): Record<string, string | number> {
  const headers: Record<string, string | number> = {
    etag: `"${stat.etag}"`,
    'last-modified': stat.modifiedAt.toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': bytesOf(stat.contentType),
  };
  if (stat.cacheControl !== undefined) headers['cache-control'] = bytesOf(stat.cacheControl);
  if (stat.contentDisposition !== undefined) headers['content-disposition'] = bytesOf(stat.contentDisposition);
  if (stat.contentEncoding !== undefined) headers['content-encoding'] = bytesOf(stat.contentEncoding);
  if (stat.contentLanguage !== undefined) headers['content-language'] = bytesOf(stat.contentLanguage);
  if (stat.expires !== undefined) headers.expires = bytesOf(stat.expires);
  for (const [name, value] of Object.entries(stat.metadata)) headers[`${metadataPrefix}${name}`] = bytesOf(value);
  return headers;
}

const overrides = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

/** The response-* parameters of a GET. */
export function overridesOf({ target }: Call): Headers {
  const headers: Record<string, string> = {};
  for (const name of overrides) {
    const value = target.query.get(`response-${name}`);
    if (value === undefined) continue;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end the header
    if (value.length > mostHeaderBytes || /[\u0000-\u001f\u007f]/.test(value))
      throw new S3Error('InvalidArgument', `response-${name} is not the value of a header.`);
    headers[name] = bytesOf(value);
  }
  return headers;
}

function bytesOf(value: string): string {
  return Buffer.from(value).toString('latin1');
}

const refused = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-tagging',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold',
  'x-amz-website-redirect-location',
  'x-amz-write-offset-bytes',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
];
const ownerKeepsAll: ReadonlySet<string> = new Set(['private', 'bucket-owner-read', 'bucket-owner-full-control']);

/** A header that asks for what this server does not do is refused: to ignore it would promise it. */
export function refuseUnknownWishes(call: Call): void {
  for (const name of refused) if (header(call, name) !== undefined) throw notImplemented(`The header ${name}`);
  const acl = header(call, 'x-amz-acl');
  if (acl !== undefined && !ownerKeepsAll.has(acl)) throw notImplemented(`The access control list ${acl}`);
  const storageClass = header(call, 'x-amz-storage-class');
  if (storageClass !== undefined && storageClass !== 'STANDARD')
    throw new S3Error('InvalidStorageClass', 'The only storage class here is STANDARD.');
}
