// Reads the body of a request for the namespace: decodes chunks, and checks length, digests and trailers on the way. Faults are thrown at
// the latest before the last bytes, so that the reader never takes a faulty body as whole.
import type { IncomingMessage } from 'node:http';
import type { Upload } from '../namespace/namespace.ts';
import { type Call, type Exchange, header, type ServerContext, sendError } from './call.ts';
import {
  checksumDigest,
  checksumHeaders,
  hashDigest,
  isBase64Of,
  isChecksum,
  isChecksumOf,
  type RunningDigest,
} from './checksums.ts';
import { S3Error } from './errors.ts';
import { decodeChunks } from './sigv4/chunks.ts';

/** S3's limit for one PUT or part. */
const mostUploadBytes = 5 * 1024 ** 3;

interface CheckedUpload extends Upload {
  readonly sizeBytes: number;
  /** Checksums by header. Complete after the body has been read. */
  readonly checksums: Readonly<Record<string, string>>;
}

interface Expected {
  readonly digest: RunningDigest;
  readonly base64: string;
  readonly failure: () => S3Error;
}

/** Throws S3Error if the headers are wrong. Reading the body throws S3Error too. */
export function uploadOf(call: Call): CheckedUpload {
  mustSayOneFraming(call);
  return checkedUpload(call, sizeOf(call));
}

/** Without this check the framing of chunks could be stored as content. */
function mustSayOneFraming(call: Call): void {
  if (call.payload.kind === 'CHUNKS') return;
  const codings = (header(call, 'content-encoding') ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  if (codings.includes('aws-chunked') || header(call, 'x-amz-decoded-content-length') !== undefined)
    throw new S3Error(
      'InvalidRequest',
      'A body in chunks (aws-chunked, x-amz-decoded-content-length) needs a STREAMING value of x-amz-content-sha256.',
    );
}

function checkedUpload(call: Call, sizeBytes: number): CheckedUpload {
  const checksums: Record<string, string> = {};
  return { sizeBytes, checksums, body: checkedBody(call, sizeBytes, expectedDigests(call, checksums), checksums) };
}

/** Reads a small document as a whole and passes it to `read`. The memory of all such documents is bounded together. */
export async function readXmlBody<Result>(
  call: Call,
  mostBytes: number,
  read: (body: Buffer) => Result,
): Promise<Result> {
  mustSayOneFraming(call);
  const { headers } = call.request;
  const isEmpty = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
  const { sizeBytes, body } = checkedUpload(call, isEmpty ? 0 : sizeOf(call));
  if (sizeBytes > mostBytes)
    throw new S3Error('MalformedXML', `The body has more than the allowed ${mostBytes} bytes.`);
  return call.context.documents.hold(sizeBytes, async () => {
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece);
    return read(Buffer.concat(pieces));
  });
}

/** The whole body of a request whose caller may be unknown. Undefined if it is too long. */
export async function readShortBody(
  exchange: Exchange & { readonly context: Pick<ServerContext, 'pace' | 'documents'> },
  mostBytes: number,
): Promise<Buffer | undefined> {
  if (Number(exchange.request.headers['content-length'] ?? 0) > mostBytes) return undefined;
  return exchange.context.documents.hold(mostBytes, async () => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of received(exchange)) {
      bytes += piece.length;
      if (bytes > mostBytes) return undefined;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  });
}

/** Size of the data, without the framing of chunks. */
function sizeOf(call: Call): number {
  const isChunked = call.payload.kind === 'CHUNKS';
  const text = header(call, isChunked ? 'x-amz-decoded-content-length' : 'content-length');
  if (text === undefined || !/^\d{1,15}$/.test(text))
    throw new S3Error(
      'MissingContentLength',
      `You must provide the ${isChunked ? 'x-amz-decoded-content-length' : 'Content-Length'} header.`,
    );
  if (Number(text) > mostUploadBytes)
    throw new S3Error('EntityTooLarge', `One upload has at most ${mostUploadBytes} bytes: use a multipart upload.`, {
      details: { ProposedSize: text, MaxSizeAllowed: String(mostUploadBytes) },
    });
  return Number(text);
}

function expectedDigests(call: Call, checksums: Record<string, string>): Expected[] {
  const expected: Expected[] = [];
  const md5 = header(call, 'content-md5');
  if (md5 !== undefined) {
    if (!isBase64Of(md5, 16)) throw new S3Error('InvalidDigest', 'Content-MD5 is not the base64 of an MD5 digest.');
    expected.push({ digest: hashDigest('md5'), base64: md5, failure: () => badDigest('Content-MD5') });
  }
  if (call.payload.kind === 'SHA256') {
    const base64 = Buffer.from(call.payload.sha256, 'hex').toString('base64');
    expected.push({ digest: hashDigest('sha256'), base64, failure: wrongSha256 });
  }
  const given = checksumHeaders.filter((name) => header(call, name) !== undefined);
  if (given.length > 1) throw new S3Error('InvalidRequest', 'A request has at most one x-amz-checksum- header.');
  for (const name of given) {
    const base64 = header(call, name) ?? '';
    if (!isChecksumOf(name, base64)) throw new S3Error('InvalidRequest', `The value of ${name} is not valid.`);
    expected.push({ digest: checksumDigest(name), base64, failure: () => badDigest(name) });
    checksums[name] = base64;
  }
  return expected;
}

interface Trailing {
  readonly name: string;
  readonly digest: RunningDigest;
  sent?: string;
}

/** The checksum after the body, announced by x-amz-trailer. */
function trailingChecksum(call: Call): Trailing | undefined {
  const name = header(call, 'x-amz-trailer')?.trim().toLowerCase();
  if (name === undefined) return undefined;
  if (call.payload.kind !== 'CHUNKS' || !call.payload.hasTrailers || !isChecksum(name))
    throw new S3Error('InvalidRequest', 'x-amz-trailer must name one x-amz-checksum- header of a body with trailers.');
  return { name, digest: checksumDigest(name) };
}

async function* checkedBody(
  call: Call,
  sizeBytes: number,
  expected: readonly Expected[],
  checksums: Record<string, string>,
): AsyncGenerator<Buffer> {
  const trailing = trailingChecksum(call);
  const digests = expected.map(({ digest }) => digest);
  if (trailing !== undefined) digests.push(trailing.digest);
  let passedBytes = 0;
  for await (const piece of dataOf(call, trailing)) {
    passedBytes += piece.length;
    if (passedBytes > sizeBytes) throw wrongLength();
    for (const digest of digests) digest.update(piece);
    yield piece;
  }
  if (passedBytes !== sizeBytes) throw wrongLength();
  for (const { digest, base64, failure } of expected) if (digest.base64() !== base64) throw failure();
  if (trailing?.sent === undefined) return;
  if (trailing.digest.base64() !== trailing.sent) throw badDigest(trailing.name);
  checksums[trailing.name] = trailing.sent;
}

function dataOf(call: Call, trailing: Trailing | undefined): AsyncIterable<Buffer> {
  const { payload } = call;
  if (payload.kind !== 'CHUNKS') return received(call);
  const onTrailers = (trailers: ReadonlyMap<string, string>) => takeTrailers(trailers, trailing);
  return decodeChunks(received(call), {
    ...(payload.signer === undefined ? {} : { signer: payload.signer }),
    ...(payload.hasTrailers ? { onTrailers } : {}),
  });
}

function takeTrailers(trailers: ReadonlyMap<string, string>, trailing: Trailing | undefined): void {
  const sent = trailing === undefined ? undefined : trailers.get(trailing.name);
  if (trailers.size !== (trailing === undefined ? 0 : 1) || (trailing !== undefined && sent === undefined))
    throw new S3Error(
      'MalformedTrailerError',
      'The body must end with the trailer that x-amz-trailer names, and no other.',
    );
  if (trailing === undefined || sent === undefined) return;
  if (!isChecksumOf(trailing.name, sent))
    throw new S3Error('InvalidRequest', `The value of ${trailing.name} is not valid.`);
  trailing.sent = sent;
}

/** The bytes as they arrive. A client that waits for "100 Continue" gets it only now, when the request has passed all checks. */
async function* received(call: Exchange & { readonly context: Pick<ServerContext, 'pace'> }): AsyncGenerator<Buffer> {
  const { request, response, context } = call;
  if (request.headers.expect !== undefined && !response.headersSent) response.writeContinue();
  // Stopping early must not close the connection: the answer still has to be sent.
  const pieces = (request as IncomingMessage).iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  let isRefused = false;
  const transfer = context.pace.watch(() => {
    isRefused = true;
    void (call.refuse?.(tooSlow()) ?? sendError(call, tooSlow()));
  });
  try {
    for (;;) {
      transfer.wait();
      const next = await pieces.next();
      // The rest may still arrive while the refusal is sent.
      if (isRefused) throw tooSlow();
      if (next.done === true) return;
      transfer.goOn(next.value.length);
      yield next.value;
    }
  } catch (error) {
    if (isRefused) throw tooSlow();
    throw new S3Error('IncompleteBody', `The body was truncated: ${error instanceof Error ? error.message : error}`);
  } finally {
    transfer.end();
    await pieces.return?.();
  }
}

function tooSlow(): S3Error {
  return new S3Error('RequestTimeout', 'The body came too slowly: nothing of it was stored.');
}

function wrongLength(): S3Error {
  return new S3Error('IncompleteBody', 'The length of the body differs from the headers.');
}

function badDigest(name: string): S3Error {
  return new S3Error('BadDigest', `The body does not match the digest in ${name}.`);
}

function wrongSha256(): S3Error {
  return new S3Error('XAmzContentSHA256Mismatch', 'The body does not match the digest in x-amz-content-sha256.');
}
