// Chains audit entries after they were written, and signs the end of the chain: chaining in each mutation would make all writers
// queue for that end.
import type { Database } from '../database/database.ts';
import type { HeldLease, Leases } from '../leases/leases.ts';
import type { Logger } from '../log/log.ts';
import { Loop } from '../work/loop.ts';
import type { Wake } from '../work/wake.ts';
import type { AuditAnchors } from './anchors.ts';
import { entryColumns, entryHash, type HashedEntry } from './chain.ts';
import { type AuditKeys, type ChainEnd, endFault, readEnds, signEnd } from './ends.ts';

interface AuditSealerOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Elects the sealer among the processes that have the keys. */
  readonly leases: Leases;
  readonly keys: AuditKeys;
  /** Writes copies of the head outside of the database. */
  readonly anchors?: AuditAnchors;
  /** Called when no entry is left to seal. */
  readonly onSealed?: () => void;
}

const batchSize = 500;
const pollMs = 500;
/** While nothing happens. Refused requests and logins write entries that wake nobody. */
const restMs = 1_000;

/*
 * Inputs: the end of the chain as it was read; the entries' ids with position and hashes, as JSON; the new end with
 * its signature.
 * Output: 1 when they were sealed; 0 when another process has sealed since, and then nothing is written.
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
    UPDATE audit_chain SET next_position = ?, head_hash = ?, head_signature = ? WHERE id = 1;
  END IF;
  COMMIT;
  SELECT unchanged AS sealed;
END`;

export class AuditSealer {
  readonly #db: Database;
  readonly #leases: Leases;
  readonly #loop: Loop;
  readonly #keys: AuditKeys;
  readonly #anchors: AuditAnchors | undefined;
  #lease: HeldLease | undefined;
  readonly #onSealed: (() => void) | undefined;
  readonly #log: Logger;
  /** The fault that was logged last. */
  #fault: string | undefined;
  /** The highest head that this process has seen on this timeline. */
  #furthest = 0;
  /** The last timeline that began with a loss when it was seen. */
  #lossEpoch = 0;

  constructor(options: AuditSealerOptions) {
    this.#db = options.db;
    this.#leases = options.leases;
    this.#log = options.log;
    this.#keys = options.keys;
    this.#anchors = options.anchors;
    this.#onSealed = options.onSealed;
    this.#loop = new Loop({
      name: 'audit sealer',
      log: options.log,
      pauseMs: () => pollMs,
      rest: { wake: options.wake, ms: restMs },
      run: async () => {
        if (this.#lease === undefined || this.#lease.signal.aborted)
          this.#lease = await this.#leases.acquire('audit-sealer');
        return (this.#lease !== undefined && (await this.runOnce()) === batchSize) || 'rest';
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#anchors?.write();
    await this.#lease?.release();
  }

  /** Seals up to 500 entries; returns how many. Throws when the current end of the chain is not signed. */
  async runOnce(): Promise<number> {
    const sealed = await this.#sealSome();
    if (sealed < batchSize) this.#onSealed?.();
    return sealed;
  }

  async #sealSome(): Promise<number> {
    const { head, lossEpoch, isAllSealed } = await readEnds(this.#db);
    this.#followLoss(head, lossEpoch);
    this.#refuseFalse(head);
    if (isAllSealed) return 0;
    const entries = await this.#db.query<HashedEntry>(
      `SELECT ${entryColumns} FROM audit_entry WHERE position IS NULL ORDER BY id LIMIT ${batchSize}`,
    );
    if (entries.length === 0) return 0;
    let previousHash = head.hash;
    const links = entries.map((entry, index) => {
      const position = head.position + 1 + index;
      const hash = entryHash(entry, position, previousHash);
      const link = { id: entry.id, position, previousHash, hash };
      previousHash = hash;
      return link;
    });
    const end = { position: head.position + links.length, hash: previousHash };
    const signature = signEnd(this.#keys.signingKeys, 'head', end);
    const values = [
      ...[head.position + 1, head.hash, JSON.stringify(links)],
      ...[end.position + 1, end.hash, signature],
    ];
    const answer = (await this.#db.write<unknown>(sealStatement, values)) as unknown as [{ sealed: number }[], unknown];
    if (answer[0][0]?.sealed !== 1) return 0;
    this.#furthest = end.position;
    await this.#anchors?.moved({ ...end, signature });
    return links.length;
  }

  /** A promotion that lost acknowledged writes may have lost the end of the trail. The rest has a valid signature of its own. */
  #followLoss(head: ChainEnd, lossEpoch: number): void {
    if (lossEpoch > this.#lossEpoch && head.position < this.#furthest) {
      const cut = { endsAt: head.position, hadReached: this.#furthest, epoch: lossEpoch };
      this.#log.warn({ auditCut: cut }, 'a promotion has lost the end of the audit trail: the rest is extended');
      this.#furthest = head.position;
    }
    this.#lossEpoch = lossEpoch;
  }

  /** An unsigned end is never extended: the new signature would legitimise it. */
  #refuseFalse(head: ChainEnd): void {
    const fault =
      endFault(this.#keys.publicKeys, 'head', head) ??
      (head.position < this.#furthest ? `it ends at ${head.position}, but had reached ${this.#furthest}` : undefined);
    if (fault !== undefined && fault !== this.#fault)
      this.#log.error({ auditEnd: head }, `the audit trail may have been changed in the database: ${fault}`);
    this.#fault = fault;
    if (fault !== undefined)
      throw new Error(`the audit trail is not sealed: ${fault} (docs/operating.md, "The audit trail")`);
    this.#furthest = head.position;
  }
}
