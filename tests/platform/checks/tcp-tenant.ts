// A tenant for tests of the check engine: each target is a TCP port that must send a byte; what is recorded goes into a
// table of the test's own, under the fence of the shard's lease.
import { connect } from 'node:net';
import type {
  CheckedStatus,
  CheckObservation,
  CheckReading,
  CheckTarget,
  CheckTenant,
} from '../../../platform/checks/check-tenant.ts';
import type { Database } from '../../../platform/database/database.ts';
import { checkLease, type HeldLease } from '../../../platform/leases.ts';

export interface TcpTarget extends CheckTarget {
  readonly port: number;
}

export const createTables = [
  `CREATE TABLE test_target (id VARCHAR(64) PRIMARY KEY, port INT, status VARCHAR(8) DEFAULT 'UNKNOWN')`,
  `CREATE TABLE test_seen (n BIGINT AUTO_INCREMENT PRIMARY KEY, target VARCHAR(64), worker VARCHAR(64), status_before VARCHAR(8), status VARCHAR(8), outcome VARCHAR(16))`,
];

export class TcpTenant implements CheckTenant<TcpTarget, null> {
  readonly name = 'test';
  readonly #db: Database;
  readonly #worker: string;
  readonly #timing: { readonly intervalMs: number; readonly timeoutMs: number };

  constructor(db: Database, worker: string, timing: { intervalMs: number; timeoutMs: number }) {
    this.#db = db;
    this.#worker = worker;
    this.#timing = timing;
  }

  async listTargets(): Promise<TcpTarget[]> {
    const rows = await this.#db.query<{ id: string; port: number; status: CheckedStatus }>('SELECT * FROM test_target');
    return rows.map((row) => ({ ...row, ...this.#timing, revision: String(row.port) }));
  }

  check(target: TcpTarget, options: { signal: AbortSignal }): Promise<CheckReading<null>> {
    const { promise, resolve } = Promise.withResolvers<CheckReading<null>>();
    const socket = connect({ host: '127.0.0.1', port: target.port });
    const end = (message: string | null) => {
      socket.resetAndDestroy();
      resolve({ up: message === null, message, detail: null });
    };
    options.signal.addEventListener('abort', () => end('timed out'), { once: true });
    socket.once('data', () => end(null));
    socket.on('error', (error) => end(error.message));
    return promise;
  }

  async record(batch: readonly CheckObservation<TcpTarget, null>[], lease: HeldLease): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await checkLease(tx, lease);
      for (const { target, outcome, status, statusBefore } of batch) {
        await tx.execute(
          'INSERT INTO test_seen (target, worker, status_before, status, outcome) VALUES (?, ?, ?, ?, ?)',
          [target.id, this.#worker, statusBefore, status, outcome],
        );
        await tx.execute('UPDATE test_target SET status = ? WHERE id = ?', [status, target.id]);
      }
    });
  }
}
