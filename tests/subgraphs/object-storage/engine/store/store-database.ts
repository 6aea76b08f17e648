// The database of an object storage cluster, and helpers for tests of its replica.
import { randomBytes } from 'node:crypto';
import { platformMigrations } from '../../../../../compose/places.ts';
import { Database } from '../../../../../platform/database/database.ts';
import { migrate } from '../../../../../platform/database/migrate.ts';
import { type Version, VersionClock } from '../../../../../platform/registers/version.ts';
import { ChangeLog } from '../../../../../subgraphs/object-storage/engine/store/change-log.ts';
import { Durability } from '../../../../../subgraphs/object-storage/engine/store/durability.ts';
import { LocalReplica } from '../../../../../subgraphs/object-storage/engine/store/local-replica.ts';
import { objectClusterMigrations } from '../../../../../subgraphs/object-storage/engine/store/owner.ts';
import { preparedByReplica } from '../../../../../subgraphs/object-storage/engine/store/padded.ts';
import { Partitions } from '../../../../../subgraphs/object-storage/engine/store/partitions.ts';
import type { RegisterKey, ReplicaAnswer } from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import { partitionOfScope } from '../../../../../subgraphs/object-storage/engine/store/scope-partition.ts';
import { Tombstones } from '../../../../../subgraphs/object-storage/engine/store/tombstones.ts';
import { testDatabase } from '../../../../support/stores/database.ts';

export type Location = ConstructorParameters<typeof Database>[0]['connection'];

export const storeMigrations = [platformMigrations, objectClusterMigrations];

export function scopeOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

/** The clock of one of several processes with the same number. Random numbers make their versions different. */
export function clockOf(cluster: number): VersionClock {
  return new VersionClock({ cluster, nowMs: () => Date.now(), chance: () => randomBytes(6).toString('hex') });
}

/** A process of a cluster. */
export class StoreProcess implements AsyncDisposable {
  readonly cluster: number;
  readonly db: Database;
  readonly clock: VersionClock;
  readonly durability: Durability;
  readonly replica: LocalReplica;
  readonly partitions: Partitions;
  readonly changeLog: ChangeLog;
  readonly tombstones: Tombstones;

  constructor(connection: Location, cluster = 0) {
    this.cluster = cluster;
    this.db = new Database({ connection, preparedKept: preparedByReplica });
    this.clock = clockOf(cluster);
    this.durability = new Durability(this.db);
    this.replica = new LocalReplica(this);
    this.partitions = new Partitions(this);
    this.changeLog = new ChangeLog(this);
    this.tombstones = new Tombstones(this);
  }

  /** Accepts a value, or a deletion, with this version. */
  accept(key: RegisterKey, version: Version, head: string | undefined, epoch = 1): Promise<ReplicaAnswer> {
    const value = head === undefined ? undefined : { head };
    return this.replica.ask({ op: 'accept', key, epoch, written: { version, value } });
  }

  /** The contents of the table without values that are only promised: name, version and value. */
  async rows(): Promise<readonly Record<string, unknown>[]> {
    return this.db.query(
      `SELECT ring, HEX(scope) AS scope, HEX(name) AS name, LOWER(HEX(version)) AS version, head, HEX(body) AS body FROM store_register
        WHERE kind <> 2 ORDER BY ring, scope, name`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.replica.drain();
    await this.db.close();
  }
}

/** An empty database of a cluster, dropped at the end. */
export async function storeDatabase(cleanup: AsyncDisposableStack): Promise<Location> {
  const place = await testDatabase({ migrated: false });
  cleanup.defer(() => place.drop());
  await migrate(place.connection, storeMigrations);
  return place.connection;
}

export function partitionsOf(keys: readonly Pick<RegisterKey, 'scope'>[]): ReadonlySet<number> {
  return new Set(keys.map(({ scope }) => partitionOfScope(scope)));
}
