// Notices that the database was set back: acknowledged commits that are remembered outside of it are missing. A lossy timeline then
// begins, so that effects of the lost writes are not repeated unnoticed. Calls with unknown keys are refused, readers of events
// start over, and receivers of positions take the whole state.
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCommitRecord } from '../database/commit-record.ts';
import { commitRecordKeptMs, lastLossSql, timeOfUuid } from '../database/commits.ts';
import type { CommitPoint, Database, Sql } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { ConfigError } from '../errors/config-error.ts';
import { historySql, noticeSetBack } from '../events/database-history.ts';
import type { Logger } from '../log/log.ts';
import { newUuid } from '../values/ids.ts';
import { Loop } from '../work/loop.ts';
import type { Wake } from '../work/wake.ts';
import { within } from '../work/within.ts';
import { CommitMemory, type RememberedPoint } from './commit-memory.ts';
import { FileTextMemory, type TextMemory } from './text-memory.ts';

export interface RestoreGuardOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** UUID of this incarnation of the process. */
  readonly owner: string;
  readonly memories: readonly TextMemory[];
  /** Whether the process goes on or refuses to run when the database was set back. */
  readonly onSetBack: 'continue' | 'refuse';
  /** How long a memory fails before that is logged. */
  readonly logAfterMs?: number;
}

/** A database without commits that were acknowledged. */
interface SetBack {
  /** Commits that are missing. */
  readonly missing: readonly CommitPoint[];
  /** The newest commit that the database has. Null if it has none. */
  readonly newestAt: Date | null;
  /** The newest time of a missing commit, by the clock of the process that made it. */
  readonly lostUntil: Date;
}

interface State {
  /** The first history of the database. */
  readonly installation: string;
  /** The current one. */
  readonly history: string;
  readonly lossEpoch: number;
  readonly readOnly: number;
  readonly newestId: string | null;
  readonly newestEpoch: number | null;
  readonly newestAt: Date | null;
  readonly now: Date;
  /** Something changed since the newest commit. */
  readonly isBehind: number;
}

interface Look {
  readonly state: State;
  readonly setBack: SetBack | undefined;
  /** Each memory has the last commit of this process. */
  readonly isRemembered: boolean;
}

const everyMs = 600;
/** A replica that lags behind, or a proxy in between, must not look like a loss. */
const confirmMs = 300;
const memoryMs = 1_000;
/** At a start on a busy machine, Redis is often not connected yet. */
const usualLogAfterMs = 5_000;
const fileEveryMs = 2_000;
/** A point is written this often even without a change, because it must not be older than the kept commit records. */
const idleSeconds = 60;
/** If a process has not written for this long, its point is forgotten once the database has it. */
const forgetAfterMs = 3_600_000;

const stateSql = `SELECT t.*, NOW(3) AS now, newest.id AS newestId, newest.timeline AS newestEpoch, newest.at AS newestAt,
    newest.id IS NULL OR newest.at < NOW(3) - INTERVAL ${idleSeconds} SECOND
      OR newest.at < (SELECT at FROM status_change WHERE seq = (SELECT next_seq - 1 FROM status_sequencer WHERE id = 1) AND at <= NOW(3)) AS isBehind
  FROM (SELECT @@read_only AS readOnly, ${lastLossSql} AS lossEpoch,
    (SELECT history FROM db_timeline ORDER BY epoch LIMIT 1) AS installation, ${historySql} AS history) t
  LEFT JOIN (SELECT id, timeline, at FROM commit_record WHERE timeline > 0 AND at <= NOW(3) ORDER BY at DESC LIMIT 1) newest ON TRUE`;

/** A process has served the database, and none does now. */
const leftSql = `SELECT EXISTS (SELECT 1 FROM running_time) AND NOT EXISTS (
    SELECT 1 FROM lease WHERE name LIKE 'process/process/%' AND expires_at > NOW(3)) AS isLeft`;
const unknownHere =
  'neither Redis nor the key folder remembers this installation, so the database is a restored backup or a copy';

export class RestoreGuard {
  readonly #options: RestoreGuardOptions;
  readonly #memories: readonly CommitMemory[];
  readonly #loop: Loop;
  /** Of the database's first timeline. */
  #installation: string | undefined;
  #fileWrittenAtMs = Number.NEGATIVE_INFINITY;
  #flushing: Promise<void> | undefined;
  #again = false;
  /** By memory and step: since when it fails. */
  readonly #failing = new Map<string, { readonly sinceMs: number; isLogged: boolean }>();
  #refused: SetBack | undefined;

  constructor(options: RestoreGuardOptions) {
    this.#options = options;
    this.#memories = options.memories.map((texts) => new CommitMemory(texts));
    const { log, db } = options;
    this.#loop = new Loop({ name: 'restore guard', log, pauseMs: () => everyMs, run: () => this.#run() });
    db.onCommit(() => this.#flushSoon());
    db.onDoubt(() => this.#loop.trigger());
  }

  /** Looks once, before anything is served, and then again and again. Throws ConfigError when the settings refuse the database. */
  async start(): Promise<void> {
    if (await this.#isUnknown()) await this.#beginUnknown();
    await this.#run();
    if (this.#refused !== undefined) refuseStart(describe(this.#refused));
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#fileWrittenAtMs = Number.NEGATIVE_INFINITY;
    this.#flushSoon();
    await this.#flushing;
  }

  /** Why the database may not be used. Undefined if it may. */
  get refusal(): string | undefined {
    return this.#refused && `the database was set back: ${describe(this.#refused)}`;
  }

  async #run(): Promise<boolean> {
    const first = await this.#look();
    // A server that is read-only is not the primary, or not yet.
    if (first.state.readOnly === 1) return false;
    if (first.setBack !== undefined) {
      await sleep(confirmMs);
      const { setBack, state } = await this.#look();
      if (setBack !== undefined && state.readOnly === 0) await this.#setBack(setBack, state);
      return setBack !== undefined && this.#options.onSetBack === 'continue';
    }
    this.#refused = undefined;
    await this.#refresh(first);
    return false;
  }

  /** The keys are from an escrow, or the database from elsewhere: what was lost in between can't be known. */
  async #isUnknown(): Promise<boolean> {
    if (!this.#memories.some(({ texts }) => texts instanceof FileTextMemory)) return false;
    const { installation, readOnly } = await this.#state();
    if (readOnly === 1) return false;
    for (const memory of this.#memories) {
      const known = await this.#use(memory, 'read', () => memory.texts.read(installation));
      const isSilent = known === undefined && memory.texts instanceof FileTextMemory;
      if (isSilent || Object.keys(known ?? {}).length > 0) return false;
    }
    const [row] = await this.#options.db.query<{ isLeft: number }>(leftSql);
    return row?.isLeft === 1;
  }

  /** Throws ConfigError when the settings refuse the database. */
  async #beginUnknown(): Promise<void> {
    const { db, log, wake, onSetBack } = this.#options;
    if (onSetBack === 'refuse') refuseStart(unknownHere);
    const { history } = await this.#state();
    const isStillTrue = async (sql: Sql) => (await sql.query<{ isLeft: number }>(leftSql))[0]?.isLeft === 1;
    if (await noticeSetBack(db, log, { history, reason: unknownHere, isStillTrue })) wake.notify('status');
  }

  async #state(): Promise<State> {
    const [state] = await this.#options.db.query<State>(stateSql);
    if (!state?.installation)
      throw new Error('db_timeline is empty: apply the migrations, or wait for the end of the restore');
    return state;
  }

  async #look(): Promise<Look> {
    const { db } = this.#options;
    const memories = this.#memories;
    const state = await this.#state();
    const { installation } = state;
    if (installation !== this.#installation) await this.#meet(installation);
    const remembered = await Promise.all(memories.map((memory) => this.#read(memory, installation)));
    const own = db.lastCommit;
    const points = [...remembered.flat(), ...db.commitProofs];
    const present = await this.#present(db, points);
    const missing = points.filter((point) => !present.has(point.id) && counts(point, state));
    await Promise.all(
      memories.map((memory, index) => {
        const outdated = (remembered[index] ?? []).filter((point) => this.#isOutdated(point, state, present));
        return this.#use(memory, 'forget', () => memory.forget(installation, outdated));
      }),
    );
    const isOwn = (point: RememberedPoint) => point.owner === this.#options.owner && point.id === own?.id;
    const isRemembered = remembered.every((each) => each.some(isOwn));
    if (missing.length > 0) return { state, setBack: setBackOf(missing, state), isRemembered };
    if (own !== undefined && state.readOnly === 0) db.foundCommit(own);
    return { state, setBack: undefined, isRemembered };
  }

  /** A memory that knows only other installations may belong to another database. */
  async #meet(installation: string): Promise<void> {
    const { log } = this.#options;
    this.#installation = installation;
    for (const { texts } of this.#memories)
      if (texts instanceof FileTextMemory && (await texts.isOfOthers(installation).catch(() => false)))
        log.warn(
          { file: texts.name, installation },
          'the file remembers another installation: it does not show whether this database was set back',
        );
  }

  #isOutdated(point: RememberedPoint, state: State, present: ReadonlySet<string>): boolean {
    if (point.owner === this.#options.owner) return false;
    if (!present.has(point.id)) return !counts(point, state);
    return state.now.getTime() - timeOfUuid(point.id) > forgetAfterMs;
  }

  async #present(sql: Pick<Sql, 'query'>, points: readonly CommitPoint[]): Promise<ReadonlySet<string>> {
    if (points.length === 0) return new Set();
    const ids = points.map(({ id }) => id);
    const rows = await sql.query<{ id: string }>(
      `SELECT id FROM commit_record WHERE timeline > 0 AND id IN (${marksFor(ids)})`,
      ids,
    );
    return new Set(rows.map(({ id }) => id));
  }

  async #setBack(setBack: SetBack, state: State): Promise<void> {
    const { db, wake, log, onSetBack } = this.#options;
    if (onSetBack === 'refuse') {
      if (this.#refused === undefined) log.fatal({ setBack }, `the database was set back: ${describe(setBack)}`);
      this.#refused = setBack;
      return;
    }
    const { missing, lostUntil } = setBack;
    const begun = await noticeSetBack(db, log, {
      ...{ history: state.history, reason: describe(setBack), lostUntil },
      aboveEpoch: Math.max(...missing.map(({ epoch }) => epoch)),
      isStillTrue: async (sql) => (await this.#present(sql, missing)).size < missing.length,
    });
    if (begun) wake.notify('status');
  }

  /** Writes a commit if something changed without one, and remembers the newest. */
  async #refresh({ state: { isBehind, newestId, newestEpoch }, isRemembered }: Look): Promise<void> {
    const { db } = this.#options;
    if (isBehind === 1)
      await db.transaction(async (tx) => void (await writeCommitRecord(tx, newUuid())), { endsWork: true });
    else if (newestId !== null && newestEpoch !== null && db.lastCommit?.id !== newestId)
      db.noteCommit({ id: newestId, epoch: newestEpoch });
    else if (!isRemembered) this.#flushSoon();
    await this.#flushing;
  }

  /** Writes one point at a time. A point that arrives during a write is written next, and the points in between are skipped. */
  #flushSoon(): void {
    this.#again = true;
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
  }

  async #flush(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const { db, owner } = this.#options;
      const point = db.lastCommit;
      const installation = this.#installation;
      if (point === undefined || installation === undefined || this.#refused !== undefined) return;
      const nowMs = performance.now();
      const writesFile = nowMs - this.#fileWrittenAtMs >= fileEveryMs;
      if (writesFile) this.#fileWrittenAtMs = nowMs;
      await Promise.all(
        this.#memories.map(async (memory) => {
          if (writesFile || !(memory.texts instanceof FileTextMemory))
            await this.#use(memory, 'write', () => memory.write(installation, { ...point, owner }));
        }),
      );
    }
  }

  async #read(memory: CommitMemory, installation: string): Promise<readonly RememberedPoint[]> {
    return (await this.#use(memory, 'read', () => memory.read(installation))) ?? [];
  }

  /**
   * A memory that keeps failing is logged once, and the other memories still count. An answer after the deadline shows that it works: this
   * process may have stood still.
   */
  async #use<Result>(
    memory: CommitMemory,
    step: 'read' | 'write' | 'forget',
    use: () => Promise<Result>,
  ): Promise<Result | undefined> {
    const name = `${memory.name} ${step}`;
    const answered = async (): Promise<Result> => {
      const result = await use();
      this.#failing.delete(name);
      return result;
    };
    try {
      return await within(memoryMs, 'no answer', answered);
    } catch (error) {
      const nowMs = performance.now();
      const failing = this.#failing.get(name) ?? { sinceMs: nowMs, isLogged: false };
      this.#failing.set(name, failing);
      const { logAfterMs = usualLogAfterMs, log } = this.#options;
      if (failing.isLogged || nowMs - failing.sinceMs < logAfterMs) return undefined;
      failing.isLogged = true;
      log.warn({ err: error, memory: memory.name, step }, 'commits are not remembered outside of the database');
      return undefined;
    }
  }
}

function refuseStart(why: string): never {
  throw new ConfigError([
    {
      settings: ['database.onSetBack'],
      wrong: `the database was set back: ${why}`,
      advice: 'restore a newer backup, or set database.onSetBack to continue, which begins a lossy timeline',
    },
  ]);
}

/**
 * Records that are much older than the newest one may have been deleted, and the writes of an earlier timeline were lost with it.
 * The age is that in the database: all of it may have stood still for longer than records are kept.
 */
function counts(point: CommitPoint, { now, newestAt, lossEpoch }: State): boolean {
  return point.epoch >= lossEpoch && (newestAt ?? now).getTime() - timeOfUuid(point.id) < commitRecordKeptMs;
}

function setBackOf(missing: readonly CommitPoint[], { newestAt }: State): SetBack {
  return { missing, newestAt, lostUntil: new Date(Math.max(...missing.map(({ id }) => timeOfUuid(id)))) };
}

function describe({ newestAt, lostUntil }: SetBack): string {
  const has = newestAt === null ? 'it has no commits' : `its newest commit is of ${newestAt.toISOString()}`;
  return `${has}, and commits until ${lostUntil.toISOString()} are lost`;
}
