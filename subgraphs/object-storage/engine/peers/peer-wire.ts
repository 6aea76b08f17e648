// The messages between servers of different clusters, with their bounds: batches of requests to registers, calls by name, and blobs as
// streams.
import { z } from 'zod';
import { isVersion, type Version } from '../../../../platform/registers/version.ts';
import { isBlobId } from '../blobs/blob-id.ts';
import { type BlobPlace, mostListed as mostBlobsListed } from '../blobs/blob-store.ts';

/** The role of the machines of servers. */
export const serverRole = 'objectserver';

export const mostBatchRequests = 256;
export const mostMessageBytes = 32 * 1024 * 1024;
export const mostRing = 65_535;
export const mostNameBytes = 1_100;
export const mostHeadBytes = 16 * 1024;
export const mostBodyBytes = 1024 * 1024;
const mostListed = 1_000;

/** In place of an answer for which a message has no room: ask for it again, which is safe for each request. */
export const noRoom = 'NO_ROOM';

export const registersPath = '/registers';
export const callsPath = '/calls/';
export const blobsPath = '/blobs/';
export const placeHeader = 'tidegate-blob-place';
export const sizeHeader = 'tidegate-blob-size';
/** A trailer: the number of the damaged block before which the body ends. */
export const damagedTrailer = 'tidegate-blob-damaged';

const cut = (mostBytes: number) =>
  z.string().refine((text) => text.length <= mostBytes && Buffer.byteLength(text) <= mostBytes, 'it is too long');
const bytes = (mostBytes: number) =>
  z.custom<Buffer>((value) => Buffer.isBuffer(value) && value.length <= mostBytes, 'not bytes, or too many');
const integer = (least: number, most: number) => z.number().int().min(least).max(most);

export const versionShape: z.ZodType<Version> = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .refine(isVersion, 'no clock makes a version this late');
export const ringShape = integer(0, mostRing);
export const partitionShape = integer(0, 4_095);
export const placeShape = z.object({ ring: ringShape, partition: partitionShape });
export const scopeShape = z.string().regex(/^[0-9a-f]{32}$/);
export const nameShape = cut(mostNameBytes);
export const count = integer(0, Number.MAX_SAFE_INTEGER);
export const valueShape = z.object({ head: cut(mostHeadBytes), body: bytes(mostBodyBytes).optional() });
const refusal = z.discriminatedUnion('refused', [
  z.object({ refused: z.literal('STALE'), epoch: count }),
  z.object({ refused: z.literal('UNREADY') }),
  z.object({ refused: z.literal('CLOSED') }),
]);

export const listRequestShape = z.object({
  ...{ ring: ringShape, scope: scopeShape, epoch: count, after: nameShape, prefix: nameShape },
  limit: integer(1, mostListed),
  sealed: versionShape.optional(),
});

const listedRow = z
  .object({
    name: nameShape,
    version: versionShape,
    promised: versionShape,
    head: cut(mostHeadBytes).optional(),
  })
  .transform((each) => ({ ...each, head: each.head }));

export const listAnswerShape = z.union([
  z.object({
    refused: z.undefined().optional(),
    rows: z.array(listedRow).max(mostListed),
    isWhole: z.boolean(),
    floor: versionShape,
  }),
  refusal,
]);

const blobPlace = placeShape.extend({
  ...{ registerRing: ringShape, scope: scopeShape, name: nameShape, newest: versionShape },
});
export const blobId = z.string().refine(isBlobId, 'not a blob id');
export const blobListRequestShape = z.object({
  ring: ringShape,
  partition: partitionShape,
  after: z.union([z.literal(''), blobId]),
  limit: integer(1, mostBlobsListed),
});
export const blobListShape = z
  .array(z.object({ id: blobId, sizeBytes: count, place: blobPlace, writtenAt: z.iso.datetime() }))
  .max(mostBlobsListed)
  .transform((blobs) => blobs.map((blob) => ({ ...blob, writtenAt: new Date(blob.writtenAt) })));

/** The answer to a written blob. */
export const writtenShape = z.object({ sizeBytes: count, epoch: count.optional() });

/** Encodes a place for a header, because names may have any characters. */
export function placeText(place: BlobPlace): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Undefined if the text is not a place. */
export function readPlace(text: string): BlobPlace | undefined {
  try {
    return blobPlace.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Why a server refused or failed. */
export const failureShape = z.object({
  code: z.enum(['NO_BLOB', 'DAMAGED', 'RANGE', 'TOO_LARGE', 'DISK_FULL', 'REFUSED', 'BUSY', 'FAILED']),
  message: z.string(),
  /** Set for a damaged blob. */
  block: z.number().int().optional(),
  /** Set if the range is outside the blob. */
  sizeBytes: z.number().int().optional(),
});
export type PeerFailure = z.output<typeof failureShape>;
