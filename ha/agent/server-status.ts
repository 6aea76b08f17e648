// The status of a server: whether it is writable, its position, whether commits wait, and the state of its replication.

import { numberOf } from './binary-log.ts';
import { admissionPrefix } from './server-program.ts';
import type { Session } from './session.ts';
import type { Replica, ServerView } from './view.ts';

type Up = Extract<ServerView, { state: 'up' }>;
type Status = Pick<Up, 'writable' | 'semiSync' | 'waitingSinceMs' | 'position' | 'received' | 'replica' | 'admissions'>;

interface StatusRow {
  readonly readOnly: number;
  readonly semiSync: number;
  /** OFF if the server itself has stopped waiting. */
  readonly semiSyncStatus: string;
  readonly binlogPos: string;
  readonly slavePos: string;
  readonly waitSessions: string;
  readonly acknowledged: string;
  /** User names, separated by commas. */
  readonly admissions: string | null;
}

const globalStatus = (name: string) =>
  `(SELECT variable_value FROM information_schema.global_status WHERE variable_name = '${name}')`;
/** A connection outlives its account until it is ended. */
const admissionsSql = `(SELECT GROUP_CONCAT(user) FROM (
    SELECT user FROM mysql.global_priv WHERE LEFT(user, ${admissionPrefix.length}) = '${admissionPrefix}'
    UNION SELECT user FROM information_schema.processlist WHERE LEFT(user, ${admissionPrefix.length}) = '${admissionPrefix}'
  ) AS users)`;
const statusSql = `SELECT @@GLOBAL.read_only AS readOnly, @@GLOBAL.rpl_semi_sync_master_enabled AS semiSync,
  @@GLOBAL.gtid_binlog_pos AS binlogPos, @@GLOBAL.gtid_slave_pos AS slavePos,
  ${globalStatus('RPL_SEMI_SYNC_MASTER_STATUS')} AS semiSyncStatus,
  ${globalStatus('RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS')} AS waitSessions,
  ${globalStatus('RPL_SEMI_SYNC_MASTER_YES_TX')} AS acknowledged,
  ${admissionsSql} AS admissions`;
/**
 * ER_MASTER_FATAL_ERROR_READING_BINLOG: the source lacks transactions of this host, or has purged transactions that this host
 * needs. ER_KEY_NOT_FOUND, ER_DUP_ENTRY, ER_GTID_STRICT_OUT_OF_ORDER: the rows differ.
 */
const divergedErrors: ReadonlySet<number> = new Set([1236, 1032, 1062, 1950]);
type Followed = Pick<Replica, 'source' | 'reign' | 'admission'>;
const noReplica = { replica: undefined, received: 0 };

export class StatusReader {
  readonly #session: Session;
  readonly #timeoutMs: number;
  #waiting: { readonly sinceMs: number; readonly acknowledged: string } | undefined;

  constructor(session: Session, timeoutMs: number) {
    this.#session = session;
    this.#timeoutMs = timeoutMs;
  }

  /** Called when a server has ended. */
  forget(): void {
    this.#waiting = undefined;
  }

  /** `source`: the followed host, if any. */
  async read(source: Followed | undefined, nowMs: number): Promise<Status> {
    const [row] = await this.#session.query<StatusRow[]>(statusSql, [], this.#timeoutMs);
    if (row === undefined) throw new Error('the server returned no state');
    const applied = numberOf(row.slavePos);
    const position = Math.max(numberOf(row.binlogPos), applied);
    // This is read second, so that "all applied" also holds for the first reading.
    const { replica, received } = source === undefined ? noReplica : await this.#readReplica(source, applied);
    this.#noteWaiting(row, nowMs);
    return {
      ...{ writable: row.readOnly === 0, semiSync: row.semiSync === 1 && row.semiSyncStatus === 'ON' },
      ...{ waitingSinceMs: this.#waiting?.sinceMs, position, received: Math.max(position, received), replica },
      admissions: (row.admissions ?? '')
        .split(',')
        .flatMap((user) => (user === '' ? [] : [user.slice(admissionPrefix.length)])),
    };
  }

  async #readReplica(source: Followed, applied: number) {
    const rows = await this.#session.query<Record<string, string | number | null>[]>(
      'SHOW SLAVE STATUS',
      [],
      this.#timeoutMs,
    );
    const [row = {}] = rows;
    const text = (name: string) => String(row[name] ?? '');
    const received = numberOf(text('Gtid_IO_Pos'));
    const hasRead = text('Slave_SQL_Running_State').startsWith('Slave has read all relay log');
    const isApplying = text('Slave_SQL_Running') === 'Yes';
    const replica: Replica = {
      ...source,
      receiving: rows.length > 0 && text('Slave_IO_Running') !== 'No',
      connected: text('Slave_IO_Running') === 'Yes',
      drained: hasRead && received <= applied,
      diverged: [row.Last_IO_Errno, row.Last_SQL_Errno].some((error) => divergedErrors.has(Number(error ?? 0))),
      failure: isApplying ? undefined : `it does not apply: ${text('Last_SQL_Error') || 'stopped'}`,
    };
    return { replica, received };
  }

  /** A commit waits if sessions wait and none was acknowledged since the last poll. */
  #noteWaiting({ waitSessions, acknowledged }: StatusRow, nowMs: number): void {
    if (Number(waitSessions) === 0) this.#waiting = undefined;
    else if (this.#waiting?.acknowledged !== acknowledged) this.#waiting = { sinceMs: nowMs, acknowledged };
  }
}
