// Gives committed status events dense sequence numbers in commit order. The fence is a row lock, and everything is one statement
// that the server runs by itself: a client that is paused or killed delays nobody.
import type { Database } from '../database/database.ts';
import type { HeldLease, Leases } from '../leases/leases.ts';
import type { Logger } from '../log/log.ts';
import { Loop } from '../work/loop.ts';
import { pauseOf, type Wake } from '../work/wake.ts';

interface SequencerOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /**
   * Elects the process that reacts to every wake-up. Without leases, this process does. Any process may run the statement at any
   * time.
   */
  readonly leases?: Leases;
}

const batchSize = 1_000;
/** While wake-ups may be missed. */
const pollMs = 100;
/** While wake-ups arrive: finds events of a process that ended before it woke anybody. */
const wokenPollMs = 1_000;
/**
 * Events that are still waiting after this time are sequenced by any process that notices: a paused or killed lease holder causes
 * a short stall, not one as long as its lease.
 */
const overdueMs = 50;
/** A timer may fire so much early. */
const timerMs = 2;
/** While wake-ups may be missed, every process checks this often. */
const standbyEveryMs = 500;
const electEveryMs = 1_000;

/**
 * How long a woken sequencer waits for more events: the events of one short call then take one statement, whose commit does not
 * delay the call's own. On a busy machine, where a run takes long, it waits longer: runs then take a bounded share of the machine.
 */
const gatherMs = 4;
const gatherRuns = 3;
const longestGatherMs = overdueMs / 2;

/** `runMs`: how long the last run took. */
export function gatherTimeMs(runMs: number): number {
  return Math.min(Math.max(gatherMs, gatherRuns * runMs), longestGatherMs);
}

/*
 * Inputs: status_sequencer.next_seq; rows of status_change that are committed and have no seq.
 * Output: up to 1,000 rows, in id order, get the next sequence numbers. Selects how many.
 * Must hold: numbers are dense and never change. UNIQUE(seq) is the last safeguard. A cursor reads the ids without locks, under the
 * fence and in a snapshot newer than it, from the index on seq. In this index, rows without a seq are adjacent, in id order, and few,
 * however many events are kept. Each row is then updated by its primary key, because a scan would wait for every uncommitted insert.
 */
const statement = `SET STATEMENT innodb_lock_wait_timeout = 2 FOR BEGIN NOT ATOMIC
  DECLARE n BIGINT UNSIGNED;
  DECLARE found INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
  SELECT next_seq INTO n FROM status_sequencer WHERE id = 1 FOR UPDATE;
  FOR fresh IN (SELECT id FROM status_change FORCE INDEX (status_change_seq_key) WHERE seq IS NULL
      ORDER BY id LIMIT ${batchSize}) DO
    UPDATE status_change SET seq = n + found WHERE id = fresh.id;
    SET found = found + 1;
  END FOR;
  IF found > 0 THEN
    UPDATE status_sequencer SET next_seq = n + found WHERE id = 1;
  END IF;
  COMMIT;
  SELECT found AS sequenced;
END`;

const waitingSql = 'SELECT 1 FROM status_change FORCE INDEX (status_change_seq_key) WHERE seq IS NULL LIMIT 1';

export class Sequencer {
  readonly #db: Database;
  readonly #wake: Wake;
  readonly #leases: Leases | undefined;
  readonly #loop: Loop;
  #lease: HeldLease | undefined;
  #electAtMs = 0;
  #standbyAtMs = 0;
  #awaitedSinceMs: number | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;
  #sequenced = 0;
  #runMs = 0;

  constructor(options: SequencerOptions) {
    this.#db = options.db;
    this.#wake = options.wake;
    this.#leases = options.leases;
    this.#loop = new Loop({
      name: 'sequencer',
      log: options.log,
      pauseMs: () => pauseOf(this.#wake, { alone: pollMs, woken: wokenPollMs }),
      run: async () => {
        await this.#elect();
        return (await this.#isDue()) && (await this.runOnce()) === batchSize;
      },
    });
  }

  start(): void {
    this.#stopListening ??= this.#listen();
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    clearTimeout(this.#gathering);
    await this.#loop.stop();
    await this.#lease?.release();
  }

  /** Sequences up to 1,000 events, wakes the readers, and returns how many there were. */
  async runOnce(): Promise<number> {
    const fromMs = performance.now();
    const count = await this.#run();
    this.#runMs = performance.now() - fromMs;
    this.#sequenced += count;
    if (count > 0) this.#wake.notify('sequenced');
    return count;
  }

  /** How long the oldest unsequenced event has waited: for health and metrics. */
  async lagMs(): Promise<number> {
    const [row] = await this.#db.query<{ lagMs: number | null }>(
      'SELECT TIMESTAMPDIFF(MICROSECOND, MIN(at), NOW(3)) DIV 1000 AS lagMs FROM status_change WHERE seq IS NULL',
    );
    return Math.max(0, row?.lagMs ?? 0);
  }

  /** For metrics. */
  figures(): { readonly elected: boolean; readonly sequenced: number } {
    return { elected: this.#elected(), sequenced: this.#sequenced };
  }

  async #run(): Promise<number> {
    // A block answers with its result set and a closing status.
    const answer = (await this.#db.write<unknown>(statement, [], { prepared: true })) as unknown as [
      readonly { sequenced: number }[],
      unknown,
    ];
    const [row] = answer[0];
    if (row === undefined) throw new Error('the sequencing statement gave no answer');
    return row.sequenced;
  }

  #listen(): () => void {
    const ends = [
      this.#wake.on('status', () => {
        this.#awaitedSinceMs ??= performance.now();
        const inMs = this.#elected() ? gatherTimeMs(this.#runMs) : overdueMs + timerMs;
        this.#gathering ??= setTimeout(() => {
          this.#gathering = undefined;
          this.#loop.trigger();
        }, inMs);
      }),
      this.#wake.on('sequenced', () => {
        this.#awaitedSinceMs = undefined;
        if (this.#elected()) return;
        clearTimeout(this.#gathering);
        this.#gathering = undefined;
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** Whether this process should run the statement now. */
  async #isDue(): Promise<boolean> {
    const nowMs = performance.now();
    const waitedMs = this.#awaitedSinceMs === undefined ? undefined : nowMs - this.#awaitedSinceMs;
    const isElected = this.#elected();
    const isOverdue = waitedMs !== undefined && waitedMs >= overdueMs;
    if (!isElected && !isOverdue && nowMs < this.#standbyAtMs) return false;
    this.#standbyAtMs = nowMs + standbyEveryMs;
    this.#awaitedSinceMs = undefined;
    // Nobody has said that an event waits: a read costs less than the statement.
    if (waitedMs === undefined) return (await this.#db.query(waitingSql)).length > 0;
    return true;
  }

  #elected(): boolean {
    return this.#leases === undefined || (this.#lease !== undefined && !this.#lease.signal.aborted);
  }

  async #elect(): Promise<void> {
    if (this.#elected() || performance.now() < this.#electAtMs) return;
    this.#electAtMs = performance.now() + electEveryMs;
    this.#lease = await this.#leases?.acquire('sequencer');
  }
}
