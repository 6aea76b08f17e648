// A tenant for tests of the check engine. Each target is a TCP port that must greet. Results go to a table of the test's own, under the fence
// of the shard's lease. Every check is recorded, so that tests can see all of them.
import type {
  CheckedStatus,
  CheckObservation,
  CheckTarget,
  CheckTenant,
  Shards,
} from '../../../platform/checks/check-tenant.ts';
import type { Probe } from '../../../platform/checks/probe.ts';
import { tcpProbe } from '../../../platform/checks/probes/tcp.ts';
import { shardSql } from '../../../platform/checks/shards.ts';
import type { Database } from '../../../platform/database/database.ts';
import { checkLease, type HeldLease } from '../../../platform/leases/leases.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';

export const createTables = [
  `CREATE TABLE test_target (id VARCHAR(64) PRIMARY KEY, port INT, status VARCHAR(8) DEFAULT 'UNKNOWN',
    changed TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))`,
  `CREATE TABLE test_seen (n BIGINT AUTO_INCREMENT PRIMARY KEY, target VARCHAR(64), worker VARCHAR(64), status_before VARCHAR(8), status VARCHAR(8), outcome VARCHAR(16))`,
];

interface Row {
  readonly id: string;
  readonly port: number;
  readonly status: CheckedStatus;
}

interface TcpTenantOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly probe?: Probe<never>;
  readonly slots?: number;
  readonly confirmMs?: number;
  readonly rise?: number;
  readonly samplesPerSecond?: number;
  readonly handsOver?: true;
  readonly notesDoubts?: true;
  readonly egress?: EgressPolicy;
}

export class TcpTenant implements CheckTenant {
  readonly name = 'test';
  readonly probes: readonly Probe<never>[];
  readonly slots: number;
  readonly samplesPerSecond: number;
  readonly handsOver?: true;
  readonly notesDoubts?: true;
  readonly egress?: EgressPolicy;
  readonly #db: Database;
  readonly #worker: string;
  readonly #options: TcpTenantOptions;
  /** The shards of each listing, in order. */
  readonly listed: number[][] = [];

  constructor(db: Database, worker: string, options: TcpTenantOptions) {
    this.#db = db;
    this.#worker = worker;
    this.#options = options;
    if (options.handsOver !== undefined) this.handsOver = options.handsOver;
    if (options.notesDoubts !== undefined) this.notesDoubts = options.notesDoubts;
    if (options.egress !== undefined) this.egress = options.egress;
    this.probes = [options.probe ?? tcpProbe];
    this.slots = options.slots ?? 256;
    this.samplesPerSecond = options.samplesPerSecond ?? Number.POSITIVE_INFINITY;
  }

  async listTargets({ count, wanted }: Shards) {
    this.listed.push([...wanted]);
    const cursor = await this.#cursor();
    const sql = `SELECT * FROM test_target WHERE ${shardSql('id')} IN (${[...wanted].map(() => '?').join(', ')})`;
    const rows = await this.#db.query<Row>(sql, [count, ...wanted]);
    return { targets: rows.map((row) => this.#target(row)), cursor };
  }

  async changesAfter(after: string) {
    const cursor = await this.#cursor();
    const rows = await this.#db.query<Row>('SELECT * FROM test_target WHERE changed >= ?', [after]);
    return { targets: rows.map((row) => this.#target(row)), gone: [], cursor };
  }

  async record(batch: readonly CheckObservation[], lease: HeldLease): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await checkLease(tx, lease);
      for (const { targetId, outcome, status, statusBefore } of batch) {
        await tx.execute(
          'INSERT INTO test_seen (target, worker, status_before, status, outcome) VALUES (?, ?, ?, ?, ?)',
          [targetId, this.#worker, statusBefore, status, outcome],
        );
        await tx.execute('UPDATE test_target SET status = ? WHERE id = ?', [status, targetId]);
      }
    });
  }

  async #cursor(): Promise<string> {
    const [row] = await this.#db.query<{ now: string }>('SELECT CAST(NOW(6) - INTERVAL 1 SECOND AS CHAR) AS now');
    return row?.now ?? '';
  }

  #target({ id, port, status }: Row): CheckTarget {
    const { intervalMs, timeoutMs, confirmMs, rise } = this.#options;
    return {
      ...{ id, probe: this.probes[0]?.name ?? '', parameters: { host: '127.0.0.1', port, expect: '+' } },
      ...{ intervalMs, timeoutMs, status, revision: String(port) },
      ...(confirmMs === undefined ? {} : { confirmMs }),
      ...(rise === undefined ? {} : { rise }),
    };
  }
}
