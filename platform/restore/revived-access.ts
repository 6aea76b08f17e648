// Revoked access, remembered outside of the database, because a restored backup brings it back, and so does a promotion that loses
// writes. Remembered access is revoked again in the database that was set back. Each subgraph defines which access of its users can
// be revoked.
import { audit } from '../audit/audit.ts';
import type { Database, Transaction } from '../database/database.ts';
import { type EventOfKind, readEventsOfKinds } from '../events/history.ts';
import type { Logger } from '../log/log.ts';
import { newUuid } from '../values/ids.ts';
import { Loop } from '../work/loop.ts';
import type { Wake } from '../work/wake.ts';
import { within } from '../work/within.ts';
import type { TextMemory } from './text-memory.ts';
import { type RestoreState, readRestoreState } from './timelines.ts';

/** Access that was revoked from a subject. */
export interface TakenAccess {
  /** Type of the subject, as in events. */
  readonly type: string;
  /** UUID. */
  readonly id: string;
  /** One word in lower case. */
  readonly taken: string;
  /** The subject's version after that. */
  readonly version: number;
}

/** The access that a subgraph grants and revokes. */
export interface RevocableAccess {
  readonly types: readonly string[];
  /** Kinds of the events that report a revocation. */
  readonly kinds: readonly string[];
  takenBy(event: EventOfKind): readonly TakenAccess[];
  /** Describes in words the access that was revoked. Undefined if there was nothing to revoke. */
  takeAgain(tx: Transaction, wake: Wake, taken: TakenAccess): Promise<string | undefined>;
  /** Called last: ends access that is not remembered one by one, and returns how much. `epoch`: the epoch of the loss. */
  endOthers?(db: Database, epoch: number): Promise<number>;
}

export interface RevivedAccessOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  /** Memories of this access alone. */
  readonly memories: readonly TextMemory[];
  readonly access: RevocableAccess;
}

interface Position {
  /** Sequence number of the newest event that was read. */
  readonly seq: number;
  /** Of the last loss that was handled with this memory. 0 if there was none. */
  readonly epoch: number;
}

interface Followed extends Position {
  readonly installation: string;
  readonly atMs: number;
}

const everyMs = 500;
/** While nothing happens. A promotion that loses writes wakes nobody. */
const restMs = 1_000;
/** How often a memory is read although nothing has happened: it may have been emptied. */
const readAgainMs = 5_000;
const memoryMs = 1_000;
/** Of all that was ever revoked. */
const longReadMs = 30_000;
const pageSize = 1_000;
const positionField = 'position';
const fieldPattern = /^([A-Za-z]{1,20})\/([0-9a-f-]{36})\/([a-z]{1,10})$/;

export class RevivedAccess {
  readonly #options: RevivedAccessOptions;
  readonly #loop: Loop;
  readonly #failing = new Set<string>();
  /** What each memory has, and when that was read or written. */
  readonly #followed = new Map<TextMemory, Followed>();

  constructor(options: RevivedAccessOptions) {
    this.#options = options;
    const { db, wake, log } = options;
    this.#loop = new Loop({
      ...{ name: 'revived access', log, pauseMs: () => everyMs },
      rest: { wake, topic: 'sequenced', ms: restMs },
      run: async () => {
        await this.runOnce();
        return 'rest';
      },
    });
    db.onPrimary(() => this.#loop.trigger());
  }

  /** Before anybody logs in. */
  async start(): Promise<void> {
    await this.runOnce();
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Handles a new loss, then remembers access that was revoked since. */
  async runOnce(): Promise<void> {
    const { db, memories, log } = this.#options;
    const state = await readRestoreState(db);
    for (const memory of memories)
      try {
        await this.#follow(memory, state);
        this.#failing.delete(memory.name);
      } catch (error) {
        if (!this.#failing.has(memory.name))
          log.warn({ err: error, memory: memory.name }, 'what is revoked is not remembered outside of the database');
        this.#failing.add(memory.name);
      }
  }

  async #follow(memory: TextMemory, { installation, lastSeq, epoch }: RestoreState): Promise<void> {
    const { db, access } = this.#options;
    const before = this.#followed.get(memory);
    const followed = before?.installation === installation ? before : undefined;
    const isNews = followed?.seq !== lastSeq || followed.epoch !== epoch;
    if (!isNews && performance.now() - followed.atMs < readAgainMs) return;
    const position = await within(memoryMs, 'no answer', () => memory.get(installation, positionField));
    // An emptied memory gets what this process has not put there yet.
    const known = positionOf(position) ?? followed;
    if (known === undefined) return this.#write(memory, installation, { seq: lastSeq, epoch });
    if (epoch > known.epoch) {
      const fields = await within(longReadMs, 'no answer', () => memory.read(installation));
      await this.#takeAgain(rememberedIn(fields, access.types), epoch);
      return this.#write(memory, installation, { seq: lastSeq, epoch });
    }
    if (lastSeq === known.seq && position === undefined) return this.#write(memory, installation, known);
    this.#followed.set(memory, { ...known, installation, atMs: performance.now() });
    // Set back, and not noticed yet.
    if (lastSeq <= known.seq) return;
    const end = Math.min(lastSeq, known.seq + 10 * pageSize);
    const events = await readEventsOfKinds(db, access.kinds, { after: known.seq, until: end, most: pageSize });
    const newest = events.length === pageSize ? (events.at(-1)?.seq ?? end) : end;
    const taken = Object.fromEntries(
      events.flatMap((event) => access.takenBy(event)).map((each) => [fieldOf(each), String(each.version)]),
    );
    await this.#write(memory, installation, { seq: newest, epoch }, taken);
  }

  async #write(
    memory: TextMemory,
    installation: string,
    { seq, epoch }: Position,
    taken: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const fields = { ...taken, [positionField]: `${epoch}.${seq}` };
    await within(memoryMs, 'no answer', () => memory.write(installation, fields));
    this.#followed.set(memory, { seq, epoch, installation, atMs: performance.now() });
  }

  async #takeAgain(remembered: readonly TakenAccess[], epoch: number): Promise<void> {
    const { db, log, wake, access } = this.#options;
    const suspended: string[] = [];
    for (const each of remembered) {
      const done = await db.transaction(async (tx) => {
        const what = await access.takeAgain(tx, wake, each);
        if (what !== undefined) await this.#audit(tx, each.type, each.id, { what, epoch });
        return what;
      });
      if (done !== undefined) suspended.push(`${each.type} ${each.id}: ${done}`);
    }
    const ended = await access.endOthers?.(db, epoch);
    log.fatal(
      { epoch, suspended, ...(ended === undefined ? {} : { sessions: ended }) },
      `the database was set back: what had been taken away since is suspended${ended === undefined ? '' : ', and all sessions have ended'}`,
    );
  }

  #audit(tx: Transaction, subjectType: string, subjectId: string, details: object): Promise<void> {
    return audit(tx, {
      ...{ identity: null, action: 'revivedAccessSuspend', projectId: null, subjectType, subjectId, details },
      ...{ outcome: 'ACCEPTED', requestId: newUuid() },
    });
  }
}

function positionOf(text: string | undefined): Position | undefined {
  const match = /^(\d{1,9})\.(\d{1,15})$/.exec(text ?? '');
  return match === null ? undefined : { epoch: Number(match[1]), seq: Number(match[2]) };
}

/** Entries that only another version knows are left out. */
function rememberedIn(fields: Readonly<Record<string, string>>, types: readonly string[]): readonly TakenAccess[] {
  return Object.entries(fields).flatMap(([field, text]) => {
    const [, type = '', id = '', taken = ''] = fieldPattern.exec(field) ?? [];
    const version = Number(text);
    return types.includes(type) && Number.isSafeInteger(version) ? [{ type, id, taken, version }] : [];
  });
}

function fieldOf({ type, id, taken }: TakenAccess): string {
  return `${type}/${id}/${taken}`;
}
