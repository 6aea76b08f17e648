// Chains audit entries behind the write path: a chain kept by each mutation would make all writers queue for its end.
import type { Database } from '../database/database.ts';
import type { HeldLease, Leases } from '../leases.ts';
import type { Logger } from '../log.ts';
import { Loop } from '../loop.ts';
import { entryColumns, entryHash, type HashedEntry } from './chain.ts';

export interface AuditSealerOptions {
  readonly db: Database;
  readonly log: Logger;
  /** Elects who seals; any process may. */
  readonly leases: Leases;
}

const batchSize = 500;
const pollMs = 500;

/*
 * Inputs: the end of the chain as it was read; the entries' ids with position and hashes, as JSON; the new end.
 * Output: 1 when they were sealed, 0 when someone else has sealed since: then nothing is written.
 * Must hold: one statement, run by the server, so that a paused client holds no lock.
 */
const sealStatement = `SET STATEMENT innodb_lock_wait_timeout = 2 FOR BEGIN NOT ATOMIC
  DECLARE unchanged INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
  SELECT COUNT(*) INTO unchanged FROM audit_chain WHERE id = 1 AND next_position = ? AND head_hash = ? FOR UPDATE;
  IF unchanged = 1 THEN
    UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
        id BIGINT UNSIGNED PATH '$.id', position BIGINT UNSIGNED PATH '$.position',
        previous_hash CHAR(64) PATH '$.previousHash', hash CHAR(64) PATH '$.hash')) p
      STRAIGHT_JOIN audit_entry e FORCE INDEX (PRIMARY) ON e.id = p.id
      SET e.position = p.position, e.previous_hash = p.previous_hash, e.hash = p.hash;
    UPDATE audit_chain SET next_position = ?, head_hash = ? WHERE id = 1;
  END IF;
  COMMIT;
  SELECT unchanged AS sealed;
END`;

export class AuditSealer {
  readonly #db: Database;
  readonly #leases: Leases;
  readonly #loop: Loop;
  #lease: HeldLease | undefined;

  constructor(options: AuditSealerOptions) {
    this.#db = options.db;
    this.#leases = options.leases;
    this.#loop = new Loop({
      name: 'audit sealer',
      log: options.log,
      pauseMs: () => pollMs,
      run: async () => {
        if (this.#lease === undefined || this.#lease.signal.aborted)
          this.#lease = await this.#leases.acquire('audit-sealer');
        return this.#lease !== undefined && (await this.runOnce()) === batchSize;
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#lease?.release();
  }

  /** Seals up to 500 entries; returns how many. */
  async runOnce(): Promise<number> {
    const [end] = await this.#db.query<{ nextPosition: number; headHash: string }>(
      'SELECT next_position AS nextPosition, head_hash AS headHash FROM audit_chain WHERE id = 1',
    );
    if (end === undefined) throw new Error('audit_chain is empty: apply the migrations');
    const entries = await this.#db.query<HashedEntry>(
      `SELECT ${entryColumns} FROM audit_entry WHERE position IS NULL ORDER BY id LIMIT ${batchSize}`,
    );
    if (entries.length === 0) return 0;
    let previousHash = end.headHash;
    const links = entries.map((entry, index) => {
      const position = end.nextPosition + index;
      const hash = entryHash(entry, position, previousHash);
      const link = { id: entry.id, position, previousHash, hash };
      previousHash = hash;
      return link;
    });
    const values = [
      end.nextPosition,
      end.headHash,
      JSON.stringify(links),
      end.nextPosition + links.length,
      previousHash,
    ];
    const answer = (await this.#db.query<unknown>(sealStatement, values)) as unknown as [{ sealed: number }[], unknown];
    return answer[0][0]?.sealed === 1 ? links.length : 0;
  }
}
