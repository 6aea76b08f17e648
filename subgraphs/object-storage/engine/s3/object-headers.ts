// The headers of an object: those that a client may set, and those that it gets back.
import type { ObjectHeaders, ObjectStat } from '../namespace/namespace.ts';
import { type Call, type Headers, header } from './call.ts';
import { S3Error } from './errors.ts';

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

/** aws-chunked describes the transfer and is not a property of the object. */
function encodingOf(call: Call): string | undefined {
  const codings = (fieldOf(call, 'content-encoding') ?? '').split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked').join(',') || undefined;
}

function metadataOf(call: Call): Record<string, string> {
  const metadata: [string, string][] = [];
  let bytes = 0;
  for (const name of Object.keys(call.request.headers)) {
    if (!name.startsWith(metadataPrefix)) continue;
    const value = header(call, name) ?? '';
    bytes += name.length - metadataPrefix.length + value.length;
    metadata.push([name.slice(metadataPrefix.length), utf8Of(name, value)]);
  }
  if (bytes > mostMetadataBytes)
    throw new S3Error(
      'MetadataTooLarge',
      `Names and values of user metadata have at most ${mostMetadataBytes} bytes.`,
      {
        details: { Size: String(bytes), MaxSizeAllowed: String(mostMetadataBytes) },
      },
    );
  // Not by assignment, since a name may be __proto__.
  return Object.fromEntries(metadata);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Node decodes each byte of a header as one character. */
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

export const overrides = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

/** The response-* parameters of a GET. */
export function overridesOf({ s3Address }: Call): Headers {
  const headers: Record<string, string> = {};
  for (const name of overrides) {
    const value = s3Address.query.get(`response-${name}`);
    if (value === undefined) continue;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end the header
    if (value.length > mostHeaderBytes || /[\u0000-\u001f\u007f]/.test(value))
      throw new S3Error('InvalidArgument', `response-${name} is not a valid header value.`);
    headers[name] = bytesOf(value);
  }
  return headers;
}

function bytesOf(value: string): string {
  return Buffer.from(value).toString('latin1');
}
