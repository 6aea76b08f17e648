// The values of this cluster's registers that name blobs, in the order of the partition's changes.
import type { Database } from '../../../../platform/database/database.ts';
import type { Version } from '../../../../platform/registers/version.ts';
import { type Place, toDigits } from './partition-state.ts';
import type { StoredValue } from './register.ts';
import { kinds } from './register-rows.ts';

interface ChangedPartition extends Place {
  /** Number of the last change. */
  readonly changes: number;
}

export interface NamingValue {
  /** Number of the change. */
  readonly change: number;
  readonly version: Version;
  /** Value of an object, or of a part of an upload. */
  readonly value: StoredValue;
}

interface Row {
  readonly change: number;
  readonly version: Buffer;
  readonly head: string;
  readonly body: Buffer | null;
}

export class NamedBlobs {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Partitions of objects that are held here. */
  partitions(): Promise<readonly ChangedPartition[]> {
    return this.#db.query(
      `SELECT ring, partition_number AS \`partition\`, changes FROM store_partition
        WHERE ring > 0 AND is_held AND changes > 0 ORDER BY ring, partition_number`,
    );
  }

  /** Values after a change number, in that order. */
  async after({ ring, partition }: Place, change: number, limit: number): Promise<readonly NamingValue[]> {
    // Other heads may contain the text too: the caller finds no blobs in them.
    const rows = await this.#db.query<Row>(
      `SELECT change_number AS \`change\`, version, head, body FROM store_register
        WHERE ring = ? AND partition_number = ? AND change_number > ? AND kind = ${kinds.value} AND head LIKE '%"blobs":%'
        ORDER BY change_number LIMIT ?`,
      [ring, partition, change, limit],
    );
    return rows.map(({ change: number, version, head, body }) => ({
      ...{ change: number, version: toDigits(version) },
      value: { head, ...(body === null ? {} : { body }) },
    }));
  }
}
