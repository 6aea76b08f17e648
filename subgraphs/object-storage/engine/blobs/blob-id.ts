// The id of a blob contains its ring and partition, so that the id alone is enough to find it and the blobs of a partition are together on
// disk: 4 hexadecimal digits for the ring, 3 for the partition, 25 random ones.
import { randomBytes } from 'node:crypto';
import { BlobIdError } from './blob-errors.ts';
import type { BlobPlace } from './blob-store.ts';

type Partition = Pick<BlobPlace, 'ring' | 'partition'>;

const chanceDigits = 25;
const pattern = /^[0-9a-f]{32}$/;

export function newBlobId({ ring, partition }: Partition): string {
  const chance = randomBytes(Math.ceil(chanceDigits / 2)).toString('hex');
  return prefixOf({ ring, partition }) + chance.slice(0, chanceDigits);
}

export function isBlobId(text: string): boolean {
  return pattern.test(text);
}

/** @throws BlobIdError */
export function partitionOfBlob(id: string): Partition {
  if (!isBlobId(id)) throw new BlobIdError(`${JSON.stringify(id.slice(0, 80))} is not a blob id`);
  return { ring: Number.parseInt(id.slice(0, 4), 16), partition: Number.parseInt(id.slice(4, 7), 16) };
}

/** @throws BlobIdError if the blob would be stored where nobody looks for it */
export function requireIdOf(id: string, place: Partition): void {
  partitionOfBlob(id);
  if (!id.startsWith(prefixOf(place)))
    throw new BlobIdError(
      `the blob ${id} does not belong to ring ${place.ring}, partition ${place.partition}: make its id with newBlobId`,
    );
}

/** The folder of a partition's blobs, relative to the folder of all blobs. */
export function folderOf({ ring, partition }: Partition): string {
  return `${hex(ring, 4)}/${hex(partition, 3)}`;
}

/** The position just before this id: a listing after it begins with the blob itself. */
export function before(id: string): string {
  return (BigInt(`0x${id}`) - 1n).toString(16).padStart(32, '0');
}

function prefixOf({ ring, partition }: Partition): string {
  return hex(ring, 4) + hex(partition, 3);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
