// The id of a blob says in which ring and partition it is, so that it is found by the id alone, and all of a partition are together on
// disk: 4 hexadecimal digits of the ring, 3 of the partition, 25 of chance.
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
  if (!isBlobId(id)) throw new BlobIdError(`${JSON.stringify(id.slice(0, 80))} is not the id of a blob`);
  return { ring: Number.parseInt(id.slice(0, 4), 16), partition: Number.parseInt(id.slice(4, 7), 16) };
}

/** @throws BlobIdError: the blob would be stored where nobody looks for it */
export function requireIdOf(id: string, place: Partition): void {
  partitionOfBlob(id);
  if (!id.startsWith(prefixOf(place)))
    throw new BlobIdError(
      `the blob ${id} is not of ring ${place.ring}, partition ${place.partition}: make its id by newBlobId`,
    );
}

/** The folder of a partition's blobs, within that of all. */
export function folderOf({ ring, partition }: Partition): string {
  return `${hex(ring, 4)}/${hex(partition, 3)}`;
}

/** What comes right before it in the order of ids: with it a listing begins at the blob itself. */
export function before(id: string): string {
  return (BigInt(`0x${id}`) - 1n).toString(16).padStart(32, '0');
}

function prefixOf({ ring, partition }: Partition): string {
  return hex(ring, 4) + hex(partition, 3);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
