// Size and speed of the disk of the cluster's blobs at its last measurement.
import type { DiskMeasure } from '../blobs/measure.ts';
import type { Counters } from './counters.ts';

/** Bytes, and bytes per second with files of 10 MB and 128 KB. */
interface MeasuredDisk {
  readonly atMs: number;
  readonly capacityBytes: number;
  readonly bigWrite: number;
  readonly bigRead: number;
  readonly smallWrite: number;
  readonly smallRead: number;
}

const fields = ['atMs', 'capacityBytes', 'bigWrite', 'bigRead', 'smallWrite', 'smallRead'] as const;
const nameOf = (field: (typeof fields)[number]) => `measured.${field}`;

export class MeasuredDiskStore {
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  async put({ capacityBytes, large, small }: DiskMeasure, atMs: number): Promise<MeasuredDisk> {
    const measured: MeasuredDisk = {
      ...{ atMs, capacityBytes, bigWrite: large.writeBytesPerSecond, bigRead: large.readBytesPerSecond },
      ...{ smallWrite: small.writeBytesPerSecond, smallRead: small.readBytesPerSecond },
    };
    await this.#counters.set(new Map(fields.map((field) => [nameOf(field), Math.round(measured[field])])));
    return measured;
  }

  /** Undefined if never measured. */
  async read(): Promise<MeasuredDisk | undefined> {
    const found = await this.#counters.readAll(fields.map(nameOf));
    if (found.size < fields.length) return undefined;
    return Object.fromEntries(fields.map((field) => [field, found.get(nameOf(field)) ?? 0])) as unknown as MeasuredDisk;
  }
}
