// The processes that serve this cluster, from their own reports.
import type { Database } from '../../../../platform/database/database.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import type { RingEnd, TakeOver } from '../../wire/controller-wire.ts';

/** A server's view of another cluster. */
export interface ServiceLink {
  readonly cluster: number;
  readonly connected: boolean;
  /** Partitions of which that cluster has changes that this one lacks. Null if unknown. */
  readonly behindPartitions: number | null;
  /** Age of the oldest such change in milliseconds. Null if there is none or it is unknown. */
  readonly lagMs?: number | null;
}

export interface ServiceDisk {
  readonly usedBytes: number;
  readonly totalBytes: number;
}

export interface ServiceState {
  readonly role: string;
  /** Name of the process. */
  readonly name: string;
  readonly version: string;
  readonly isReady: boolean;
  /** Why it is not ready. */
  readonly message: string | null;
  readonly links: readonly ServiceLink[];
  /** Address for the cluster's own services. Null if it has none. */
  readonly url?: string | null;
  /** Disk of the blobs. Null if unknown. */
  readonly disk?: ServiceDisk | null;
  readonly takeOvers?: readonly TakeOver[];
  readonly ringEnds?: readonly RingEnd[];
}

/** As stored in the cluster's database. */
interface KeptService extends ServiceState {
  readonly isDrained: boolean;
  readonly isSilent: boolean;
}

interface ServiceRow extends Omit<ServiceState, 'isReady' | 'links' | 'takeOvers' | 'ringEnds' | 'disk'> {
  readonly isDrained: number;
  readonly usedBytes: number | bigint | null;
  readonly totalBytes: number | bigint | null;
  readonly isReady: number;
  readonly isSilent: number;
  /** JSON. */
  readonly links: string | null;
  /** JSON. */
  readonly takeOvers: string | null;
  /** JSON. */
  readonly ringEnds: string | null;
}

const mostServices = 1_000;
const mostMessage = 255;
const mostAsked = 8;

/** A service that is silent for this long is not ready. */
const silentSeconds = 5;
/** On both sides: a time in the future comes from before the clock was set back, and would count as heard until then. */
const isSilentSql = `ABS(TIMESTAMPDIFF(MICROSECOND, heard_at, NOW(3))) > ${silentSeconds} * 1000000`;
const keptDays = 1;

export class ServiceStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Returns whether the service should serve no users. A drained service is stored as not ready, with `whenDrained` as its message: it
   * learns of it only here, and would report the state before.
   */
  async beat(state: ServiceState & { readonly whenDrained?: string }): Promise<{ readonly isDrained: boolean }> {
    const { role, name, version, isReady, message, links, takeOvers = [], ringEnds = [] } = state;
    const { url = null, disk = null, whenDrained = null } = state;
    const told = takeOvers.map((each) => ({ ...each, message: each.message?.slice(0, mostMessage) ?? null }));
    await this.#db.execute(
      `INSERT INTO store_service (role, name, version, is_ready, message, links, take_overs, ring_ends, url, disk_used_bytes, disk_total_bytes,
          heard_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(3))
        ON DUPLICATE KEY UPDATE version = VALUES(version), is_ready = VALUES(is_ready) AND NOT draining,
          message = IF(VALUES(is_ready) AND draining, ?, VALUES(message)),
          links = VALUES(links), take_overs = VALUES(take_overs), ring_ends = VALUES(ring_ends), url = VALUES(url), disk_used_bytes = VALUES(disk_used_bytes),
          disk_total_bytes = VALUES(disk_total_bytes), heard_at = VALUES(heard_at)`,
      [
        ...[role, name, version, isReady, message?.slice(0, mostMessage) ?? null],
        ...[JSON.stringify(links), JSON.stringify(told), JSON.stringify(ringEnds), url],
        ...[disk?.usedBytes ?? null, disk?.totalBytes ?? null, whenDrained],
      ],
    );
    const [row] = await this.#db.query<{ draining: number }>(
      'SELECT draining FROM store_service WHERE role = ? AND name = ?',
      [role, name],
    );
    return { isDrained: row?.draining === 1 };
  }

  /** False if there is none with that name. */
  async drain({ role, name }: Pick<ServiceState, 'role' | 'name'>, isDrained: boolean): Promise<boolean> {
    const sql = 'UPDATE store_service SET draining = ? WHERE role = ? AND name = ?';
    await this.#db.execute(sql, [isDrained, role, name]);
    return this.#has(role, name);
  }

  /** A drained service stays drained when it comes back. */
  async gone({ role, name }: Pick<ServiceState, 'role' | 'name'>): Promise<void> {
    await this.#db.execute('DELETE FROM store_service WHERE role = ? AND name = ? AND draining = 0', [role, name]);
  }

  /** Only a silent one. */
  async remove({ role, name }: Pick<ServiceState, 'role' | 'name'>): Promise<'REMOVED' | 'STILL_HEARD' | 'NO_SERVICE'> {
    const { affectedRows } = await this.#db.execute(
      `DELETE FROM store_service WHERE role = ? AND name = ? AND ${isSilentSql}`,
      [role, name],
    );
    if (affectedRows > 0) return 'REMOVED';
    return (await this.#has(role, name)) ? 'STILL_HEARD' : 'NO_SERVICE';
  }

  async #has(role: string, name: string): Promise<boolean> {
    const sql = 'SELECT 1 FROM store_service WHERE role = ? AND name = ?';
    return (await this.#db.query(sql, [role, name])).length > 0;
  }

  async all(): Promise<readonly KeptService[]> {
    const rows = await this.#db.query<ServiceRow>(
      `SELECT role, name, version, is_ready AS isReady, message, links, take_overs AS takeOvers, ring_ends AS ringEnds, url, draining AS isDrained,
        disk_used_bytes AS usedBytes, disk_total_bytes AS totalBytes, ${isSilentSql} AS isSilent
        FROM store_service ORDER BY role, name LIMIT ${mostServices}`,
    );
    return rows.map(keptService);
  }

  /** Addresses of present services with a role. Drained ones come last: they redirect users. */
  async urlsOf(role: string): Promise<readonly string[]> {
    const rows = await this.#db.query<{ url: string }>(
      `SELECT url FROM store_service WHERE role = ? AND url IS NOT NULL AND (is_ready OR draining) AND NOT (${isSilentSql})
        ORDER BY draining, name LIMIT ${mostAsked}`,
      [role],
    );
    return rows.map(({ url }) => url);
  }

  async forgetSilent(): Promise<void> {
    await this.#db.execute(
      `DELETE FROM store_service WHERE heard_at < ${trustedNow} - INTERVAL ${keptDays} DAY LIMIT ${mostServices}`,
    );
  }
}

/** The last report of a silent service no longer counts. */
function keptService(row: ServiceRow): KeptService {
  const { role, name, version, message, url = null } = row;
  const isSilent = row.isSilent === 1;
  const told = <Each>(json: string | null) => (isSilent || json === null ? [] : (JSON.parse(json) as readonly Each[]));
  return {
    ...{ role, name, version, url, isReady: row.isReady === 1 && !isSilent, isDrained: row.isDrained === 1, isSilent },
    message: isSilent ? `silent for ${silentSeconds} s` : message,
    disk: isSilent ? null : diskOf(row),
    links: told<ServiceLink>(row.links),
    takeOvers: told<TakeOver>(row.takeOvers),
    ringEnds: told<RingEnd>(row.ringEnds),
  };
}

function diskOf({ usedBytes, totalBytes }: Pick<ServiceRow, 'usedBytes' | 'totalBytes'>): ServiceDisk | null {
  return usedBytes === null || totalBytes === null
    ? null
    : { usedBytes: Number(usedBytes), totalBytes: Number(totalBytes) };
}
