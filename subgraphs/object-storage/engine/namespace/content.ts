// Stores and reads an object's bytes: small ones in the row, others in blobs.
import { createHash } from 'node:crypto';
import type { Version } from '../../../../platform/registers/version.ts';
import { ObjectError } from '../../wire/object-error.ts';
import type { BlobLimit, BlobOwner, Blobs } from './blobs.ts';
import type { Range, Upload } from './namespace.ts';
import { type BlobRef, mostInlineBytes, type ObjectValue } from './values.ts';

/** S3's limit for one upload. */
const mostUploadBytes = 5 * 1024 ** 3;

export interface Stored {
  readonly sizeBytes: number;
  /** MD5, hexadecimal. */
  readonly md5: string;
  readonly content: ObjectValue['content'];
  /** No later version may refer to its blobs. */
  readonly newest?: Version | undefined;
}

interface StoreOptions extends BlobLimit {
  /** Most bytes that stay in the row; default 4 KiB. */
  readonly inRow?: number;
}

/** Reads the body to its end. */
export async function store(
  blobs: Blobs,
  owner: BlobOwner,
  { body, sizeBytes: told }: Upload,
  { inRow = mostInlineBytes, ...limit }: StoreOptions = {},
): Promise<Stored> {
  if (told !== undefined && told > mostUploadBytes) throw tooLarge();
  const hash = createHash('md5');
  let sizeBytes = 0;
  const source = body[Symbol.asyncIterator]();
  const counted = async (): Promise<Buffer | undefined> => {
    const { done, value } = await source.next();
    if (done === true) {
      if (told !== undefined && sizeBytes !== told)
        throw new ObjectError('BODY_CUT_OFF', `the body ended after ${sizeBytes} of ${told} bytes`);
      return undefined;
    }
    sizeBytes += value.length;
    if (sizeBytes > (told ?? mostUploadBytes)) throw told === undefined ? tooLarge() : tooMuch(told);
    hash.update(value);
    return value;
  };
  try {
    const first: Buffer[] = [];
    let firstBytes = 0;
    while (firstBytes <= inRow) {
      const chunk = await counted();
      if (chunk === undefined) {
        if (inRow === 0) break;
        return { sizeBytes, md5: hash.digest('hex'), content: { bytes: Buffer.concat(first) } };
      }
      first.push(chunk);
      firstBytes += chunk.length;
    }
    const { id, sizeBytes: stored, newest } = await blobs.write(owner, rest(first, counted), limit);
    return { sizeBytes, md5: hash.digest('hex'), content: { blobs: [{ id, sizeBytes: stored }] }, newest };
  } finally {
    await source.return?.();
  }
}

async function* rest(first: Buffer[], next: () => Promise<Buffer | undefined>): AsyncGenerator<Buffer, void> {
  for (let chunk = first.shift(); chunk !== undefined; chunk = first.shift()) yield chunk;
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
}

/** The bytes of a range within the object; all bytes if undefined. If the clusters that have them can't be reached, they are asked again later. */
export async function* bytesOf(
  blobs: Blobs,
  name: string,
  { content, sizeBytes }: Pick<ObjectValue, 'content' | 'sizeBytes'>,
  range: Range | undefined,
): AsyncGenerator<Buffer, void> {
  const { firstByte, lastByte } = range ?? { firstByte: 0, lastByte: sizeBytes - 1 };
  if (lastByte < firstByte) return;
  if ('bytes' in content) {
    yield content.bytes.subarray(firstByte, lastByte + 1);
    return;
  }
  let begins = 0;
  for (const blob of content.blobs) {
    const part = partOf(blob, begins, firstByte, lastByte);
    if (part !== undefined) yield* reachable(blobs.read(blob, part), name);
    begins += blob.sizeBytes;
  }
}

async function* reachable(body: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer, void> {
  try {
    yield* body;
  } catch (cause) {
    const message = `no reachable cluster has the bytes of ${name.slice(0, 80)} whole: try again`;
    throw new ObjectError('NO_QUORUM', message, { cause });
  }
}

function partOf({ sizeBytes }: BlobRef, begins: number, firstByte: number, lastByte: number): Range | undefined {
  const first = Math.max(0, firstByte - begins);
  const last = Math.min(sizeBytes - 1, lastByte - begins);
  return last < first ? undefined : { firstByte: first, lastByte: last };
}

function tooLarge(): ObjectError {
  return new ObjectError('TOO_LARGE', 'an upload has at most 5 GiB: use a multipart upload for a larger object');
}

function tooMuch(told: number): ObjectError {
  return new ObjectError('BODY_CUT_OFF', `the body has more than the ${told} bytes that were announced`);
}
