// Packs a list with one item per partition into bytes: parsing thousands of objects would cost many times more than sending them.
import { z } from 'zod';
import { partitionCount } from '../../../../platform/rings/ring.ts';
import type { PartitionHead } from '../store/catch-up.ts';
import type { PartitionFloor } from '../store/partitions.ts';
import type { SeenPartition } from '../store/positions.ts';

interface Packing<Item> {
  readonly itemBytes: number;
  write(item: Item, bytes: Buffer, at: number): void;
  /** Throws RangeError if the bytes are not such an item. */
  read(bytes: Buffer, at: number): Item;
}

const digitsBytes = 16;

function readPartition(bytes: Buffer, at: number): number {
  const partition = bytes.readUInt16BE(at);
  if (partition >= partitionCount) throw new RangeError(`there is no partition ${partition}`);
  return partition;
}

/** A number that may exceed 2^32. */
function readCount(bytes: Buffer, at: number): number {
  const count = bytes.readBigUInt64BE(at);
  if (count > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`${count} is too large`);
  return Number(count);
}

export const headPacking: Packing<PartitionHead> = {
  itemBytes: 16 + digitsBytes,
  write({ ring, partition, epoch, changes, log }, bytes, at) {
    bytes.writeUInt16BE(ring, at);
    bytes.writeUInt16BE(partition, at + 2);
    bytes.writeUInt32BE(epoch, at + 4);
    bytes.writeBigUInt64BE(BigInt(changes), at + 8);
    bytes.write(log, at + 16, digitsBytes, 'hex');
  },
  read: (bytes, at) => ({
    ...{ ring: bytes.readUInt16BE(at), partition: readPartition(bytes, at + 2), epoch: bytes.readUInt32BE(at + 4) },
    ...{ changes: readCount(bytes, at + 8), log: bytes.toString('hex', at + 16, at + 16 + digitsBytes) },
  }),
};

export const floorPacking: Packing<PartitionFloor> = {
  itemBytes: 2 + digitsBytes,
  write({ partition, floor }, bytes, at) {
    bytes.writeUInt16BE(partition, at);
    bytes.write(floor, at + 2, digitsBytes, 'hex');
  },
  read: (bytes, at) => ({
    partition: readPartition(bytes, at),
    floor: bytes.toString('hex', at + 2, at + 2 + digitsBytes),
  }),
};

export const seenPacking: Packing<SeenPartition> = {
  itemBytes: 10 + digitsBytes,
  write({ partition, position, log }, bytes, at) {
    bytes.writeUInt16BE(partition, at);
    bytes.writeBigUInt64BE(BigInt(position), at + 2);
    bytes.write(log, at + 10, digitsBytes, 'hex');
  },
  read: (bytes, at) => ({
    ...{ partition: readPartition(bytes, at), position: readCount(bytes, at + 2) },
    log: bytes.toString('hex', at + 10, at + 10 + digitsBytes),
  }),
};

export function pack<Item>({ itemBytes, write }: Packing<Item>, items: readonly Item[]): Buffer {
  const bytes = Buffer.alloc(items.length * itemBytes);
  for (const [index, item] of items.entries()) write(item, bytes, index * itemBytes);
  return bytes;
}

export function packedShape<Item>({ itemBytes, read }: Packing<Item>, mostItems: number): z.ZodType<Item[]> {
  return z
    .custom<Buffer>(
      (value) => Buffer.isBuffer(value) && value.length % itemBytes === 0,
      'the bytes are not whole items',
    )
    .refine((bytes) => bytes.length / itemBytes <= mostItems, 'too many')
    .transform((bytes, context) => {
      try {
        return Array.from({ length: bytes.length / itemBytes }, (_, index) => read(bytes, index * itemBytes));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        context.addIssue(error.message);
        return z.NEVER;
      }
    });
}
