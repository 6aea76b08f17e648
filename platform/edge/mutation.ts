// The edge of every mutation: `prepare` (input and rights), `effect` (one transaction with key, audit and commit record), `read`;
// the result is the payload. Every failure that a caller can act on becomes one of its `userErrors`.
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditRecord, audit } from '../audit/audit.ts';
import { countsFor, type Identity, type RequestContext } from '../caller/identity.ts';
import { type Commits, type CommitToken, commitMark } from '../database/commits.ts';
import type { Database, Transaction } from '../database/database.ts';
import { together } from '../database/statement-batch.ts';
import {
  CommitUncertainError,
  isBusy,
  isDiskFull,
  isLockWaitTimeout,
  isUnavailable,
  OneCopyError,
  ResultLostError,
} from '../errors/database-errors.ts';
import { CodedError, Refusal, refuse, sameKeyTells, type UserError, userError } from '../errors/errors.ts';
import { InputCheck } from '../input/input.ts';
import { CountedLine, reasonOf } from '../log/counted-line.ts';
import type { Logger } from '../log/log.ts';
import { decodeUuid, newUuid } from '../values/ids.ts';
import { Turns } from '../work/turns.ts';
import { noteSource, type Setting } from './applied-objects.ts';
import {
  type ChangeOrigin,
  type ConfigurationReaders,
  keepFirstVersion,
  keepVersions,
} from './configuration-versions.ts';
import { noteProtection, refuseProtected } from './deletion-protection.ts';
import {
  claimKey,
  DuplicateKeyFound,
  findScope,
  hashSecretRequest,
  type KeyScope,
  readKey,
  recordResult,
  refuseConflict,
  refuseInProgress,
} from './idempotency.ts';
import { TokenBuckets } from './token-buckets.ts';
import { checkNulls } from './update-nulls.ts';

/** The data of a mutation while it is prepared. */
export interface Attempt {
  /** Collects the faults of the input. Faults of the key are already in it. */
  readonly check: InputCheck;
  /**
   * UUID of the project. It is the scope of the key, and the audit entry of a refusal belongs to it. Set it as soon as it is known.
   * Null means the caller's own scope.
   */
  projectId: string | null;
  /** Of a mutation that sets something with a default: what. The effect says it each time that it runs. */
  setting: Setting | null;
  /** The project among `projects` (UUIDs) in which the same request was made before with its key. Undefined if there is none. */
  madeIn(projects: readonly string[]): Promise<string | undefined>;
  /**
   * For mutations that lock the same row for a while. Waits until no other mutation of this process has the turn of `key`, and then
   * keeps the turn until the mutation ends. So mutations wait here, in order, without each holding a database connection. Call it
   * once, last in `prepare`. Refuses BUSY if too many mutations wait, or if this one has waited too long.
   */
  inTurn(key: string): Promise<void>;
}

/**
 * All writes; returns the UUID of the created or changed object. Throw a Refusal to refuse: everything is rolled back, the key
 * too. May run more than once (deadlocks), so it has no effect outside of `tx`. Does not run for a repetition of the request.
 */
export type Effect = (tx: Transaction) => Promise<string>;

/**
 * For a mutation that must read something outside of the database (a device) before it writes. `look` does not run for a
 * repetition, which gets its first answer even if the outside has changed since. An effect may throw LookAgain.
 */
export interface LookFirst {
  look(): Promise<Effect>;
}

/** The state that `look` read has changed since. Nothing is written, and `look` runs again, a few times before the request is refused. */
export class LookAgain extends Refusal {
  /** `what` names the object that was read, for example `the operation`. */
  constructor(what: string) {
    const message = `${what} changed each time while the backend was read: send the request again`;
    super([userError('IN_PROGRESS', message, { retryAfterMs: 1_000 })]);
  }
}

export interface MutationCall<Entity> {
  /** The mutation's name in the graph. */
  readonly name: string;
  readonly context: RequestContext;
  /** The input for the audit entry, and for the comparison with an earlier request with the same key. */
  readonly input: { readonly idempotencyKey?: string | null } & object;
  /** For the audit entry in place of the input, if that is long and kept elsewhere. */
  readonly audited?: object;
  /** The type of the created or changed object in the graph: for the audit trail. */
  readonly subject: string;
  /**
   * Checks input and rights, before the key is touched and outside of any transaction: a repetition runs it again. Throw a
   * Refusal (`attempt.check.throwIfAny()`) to refuse; checks that need the transaction belong to the effect.
   */
  prepare(attempt: Attempt): Promise<Effect | LookFirst> | Effect | LookFirst;
  /**
   * The payload's object after the commit. Null if the payload has no object. Undefined if the object does not exist, which is an
   * error unless the mutation's name ends in `Delete`.
   */
  read(id: string): Promise<Entity | null | undefined>;
}

export interface MutationOutcome<Entity> {
  /** Null when refused. */
  readonly entity: Entity | null;
  readonly userErrors: readonly UserError[];
  readonly commit: CommitToken | null;
  /** True if the result comes from an earlier request with the same key. */
  readonly replayed: boolean;
}

interface MutationsOptions {
  readonly db: Database;
  readonly commits: Commits;
  readonly log: Logger;
  /** The kinds whose settings have a history. Default: none. */
  readonly configurations?: ConfigurationReaders;
}

interface Stored {
  readonly id: string;
  readonly recordId: string;
}

interface Done {
  readonly stored: Stored;
  readonly replayed: boolean;
}

/** Rolls back a mutation that was only tried. */
class Tried extends Error {}

const mostTries = 3;
/** Most reads of a result that is not available yet. */
const mostReads = 5;
const readAgainMs = 100;
/** Before the key of a refused look is read again. */
const pausesForKeyMs = [0, 200];
const mostWaiting = 1_000;
const longestWaitMs = 30_000;

/** The queue of requests that wait for a turn. */
interface Line {
  readonly turns: Turns;
  count: number;
}

/** Of a request's entry. */
type RequestRecord = AuditRecord & { readonly identity: Identity | null };

export class Mutations {
  readonly #db: Database;
  readonly #commits: Commits;
  readonly #log: Logger;
  readonly #configurations: ConfigurationReaders;
  /** The number of audited refusals is limited by user, with all sessions and API tokens: constant refusals must not fill the disk. */
  readonly #refusals = new TokenBuckets({ burst: 100, perSecond: 1 });
  readonly #lost: CountedLine;
  readonly #lines = new Map<string, Line>();

  constructor(options: MutationsOptions) {
    this.#db = options.db;
    this.#commits = options.commits;
    this.#log = options.log;
    this.#configurations = options.configurations ?? {};
    this.#lost = new CountedLine(options.log, 'mutations met a lost or busy database');
  }

  /**
   * Runs a mutation. Refusals and unavailable dependencies are returned as `userErrors`: nothing was done. Throws bugs, and
   * CodedError OUTCOME_UNCERTAIN or CommitUncertainError if something may have been done.
   */
  async run<Entity>(call: MutationCall<Entity>): Promise<MutationOutcome<Entity>> {
    let endTurn = () => {};
    const attempt: Attempt = {
      check: new InputCheck(),
      projectId: null,
      setting: null,
      madeIn: async (projects) => {
        const key = await keyOf(call, attempt);
        return key && findScope(this.#db, key, projects);
      },
      inTurn: async (key) => {
        endTurn = await this.#takeTurn(key);
      },
    };
    let done: Done | undefined;
    const isTried = call.context.manner?.dryRun === true;
    try {
      done = await (isTried ? this.#try(call, attempt) : this.#run(call, attempt)).finally(() => endTurn());
      if (done === undefined) return { entity: null, userErrors: [], commit: null, replayed: false };
    } catch (error) {
      const userErrors = toUserErrors(error);
      if (userErrors === undefined) throw error;
      if (isTried) return { entity: null, userErrors, commit: null, replayed: false };
      if (error instanceof Refusal) await this.auditRefusal(auditOf(call, attempt), userErrors);
      // A full disk is logged once, by the guard of the database.
      else if (!isDiskFull(error)) this.#lost.add({ reason: reasonOf(error), mutation: call.name });
      return { entity: null, userErrors, commit: null, replayed: false };
    }
    const { stored, replayed } = done;
    const commit = { token: this.#commits.token(stored.recordId) };
    try {
      // An earlier request's object may have been deleted since, and a deleted one need not be there. Any other must be.
      const mayBeGone = replayed || call.name.endsWith('Delete');
      const entity = mayBeGone ? await call.read(stored.id) : await readBack(() => call.read(stored.id));
      if (entity === undefined && !mayBeGone)
        throw uncertain(
          'It was done, but its result could not be read: it was deleted since, or the database answers from a server that is behind',
        );
      return { entity: entity ?? null, userErrors: [], commit, replayed };
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#log.warn({ err: error, mutation: call.name }, 'the database was lost after a mutation');
      throw uncertain('It was done, but the database was lost before the result could be read');
    }
  }

  /**
   * Above the caller's limit only the number of refusals is kept, in its next entry. A refusal stands even when it can't be
   * audited: an unavailable database would have refused it as well.
   */
  async auditRefusal(record: Omit<RequestRecord, 'outcome' | 'code'>, errors: readonly UserError[]): Promise<void> {
    const notKept = this.#refusals.take(record.identity === null ? 'anonymous' : countsFor(record.identity));
    if (notKept === undefined) return;
    const code = errors[0]?.code;
    const details = notKept === 0 ? record.details : { input: record.details, refusalsNotKept: notKept };
    await audit(this.#db, { ...record, details, outcome: 'REFUSED', ...(code === undefined ? {} : { code }) }).catch(
      (error: unknown) => this.#log.error({ err: error, mutation: record.action }, 'a refusal could not be audited'),
    );
  }

  /** Returns a function that passes the turn on. */
  async #takeTurn(key: string): Promise<() => void> {
    const line = this.#lines.get(key) ?? { turns: new Turns(1), count: 0 };
    if (line.count > mostWaiting) refuseBusy();
    this.#lines.set(key, line);
    line.count += 1;
    const leave = () => {
      line.count -= 1;
      if (line.count === 0) this.#lines.delete(key);
    };
    try {
      if (!line.turns.take()) await line.turns.wait(AbortSignal.timeout(longestWaitMs));
    } catch {
      leave();
      refuseBusy();
    }
    return () => {
      line.turns.give();
      leave();
    };
  }

  async #run<Entity>(call: MutationCall<Entity>, attempt: Attempt): Promise<Done> {
    attempt.check.idempotencyKey(call.input.idempotencyKey);
    checkNulls(attempt.check, call.name, call.input);
    const prepared = await call.prepare(attempt);
    attempt.check.throwIfAny();
    const key = await keyOf(call, attempt);
    const looks = typeof prepared !== 'function';
    const before = looks && key !== undefined ? await this.#before(key) : undefined;
    if (before !== undefined) return before;
    for (let tried = 1; tried <= mostTries; tried += 1) {
      const looked = looks ? await this.#look(prepared, key) : { effect: prepared };
      if ('before' in looked) return looked.before;
      const { effect } = looked;
      let id = '';
      const noted: Effect = async (tx) => {
        id = await effect(tx);
        return id;
      };
      try {
        const stored = await this.#db.transaction((tx) => this.#write(tx, call, attempt, noted, key));
        return { stored, replayed: false };
      } catch (error) {
        if (error instanceof ResultLostError)
          return { stored: { id, recordId: commitMark(error.record) }, replayed: false };
        if (error instanceof LookAgain && tried < mostTries) continue;
        if (!(error instanceof DuplicateKeyFound) || key === undefined) throw error;
      }
      const found = await this.#before(key);
      if (found !== undefined) return found;
      // Free: the key was purged between the two statements.
    }
    return refuseInProgress();
  }

  /** Carries the mutation out, and rolls it back: neither the change nor its key, event or audit entry remains. Refuses what the mutation refuses. */
  async #try<Entity>(call: MutationCall<Entity>, attempt: Attempt): Promise<undefined> {
    const { name, input } = call;
    attempt.check.idempotencyKey(input.idempotencyKey);
    checkNulls(attempt.check, name, input);
    const effect = await call.prepare(attempt);
    attempt.check.throwIfAny();
    if (typeof effect !== 'function')
      refuse('NOT_TRIED', `${name} reaches more than the database, so it can't be tried`);
    try {
      await this.#db.transaction(async (tx) => {
        await refuseProtectedNamed(tx, call);
        const written = writtenBy(call, attempt, await effect(tx));
        await noteSource(tx, written);
        await noteProtection(tx, written);
        throw new Tried();
      });
    } catch (error) {
      if (!(error instanceof Tried)) throw error;
    }
  }

  /**
   * If `look` refuses, the reason may be an effect of this same request, sent twice. Then the caller gets that request's answer.
   * The outside effect comes first, and its key a moment later.
   */
  async #look(
    prepared: LookFirst,
    key: KeyScope | undefined,
  ): Promise<{ readonly effect: Effect } | { readonly before: Done }> {
    try {
      return { effect: await prepared.look() };
    } catch (error) {
      if (!(error instanceof Refusal) || key === undefined) throw error;
      for (const pauseMs of pausesForKeyMs) {
        await sleep(pauseMs);
        const before = await this.#before(key);
        if (before !== undefined) return { before };
      }
      throw error;
    }
  }

  /** The earlier use of a key. Undefined if none is known. Refuses KEY_CONFLICT. */
  async #before(key: KeyScope): Promise<Done | undefined> {
    const found = await readKey(this.#db, key);
    if (found.kind === 'conflict') refuseConflict();
    return found.kind === 'result' ? { stored: found.result as Stored, replayed: true } : undefined;
  }

  /** The last statements and COMMIT are one round trip. */
  async #write<Entity>(
    tx: Transaction,
    call: MutationCall<Entity>,
    attempt: Attempt,
    effect: Effect,
    key: KeyScope | undefined,
  ): Promise<Stored> {
    if (key !== undefined) await claimKey(tx, key);
    await refuseProtectedNamed(tx, call);
    const reader = this.#configurations[call.subject];
    const named = reader && changedId(call);
    if (reader !== undefined && named !== undefined)
      await keepFirstVersion(tx, reader, { subject: call.subject, id: named });
    const id = await effect(tx);
    const written = writtenBy(call, attempt, id);
    await noteSource(tx, written);
    await noteProtection(tx, written);
    if (reader !== undefined) await keepVersions(tx, reader, { subject: call.subject, id }, originOf(call));
    const subject = { subjectType: call.subject, subjectId: id };
    const commitId = newUuid();
    const [recordId] = await together(
      tx,
      (batch) => [
        this.#commits.record(batch, commitId),
        audit(batch, { ...auditOf(call, attempt), outcome: 'ACCEPTED', ...subject }),
        ...(key === undefined ? [] : [recordResult(batch, key, { id }, commitId)]),
      ],
      { commits: true },
    );
    return { id, recordId };
  }
}

function refuseBusy(): never {
  refuse('BUSY', 'too many changes of the same object wait: send the request again', { retryAfterMs: 1_000 });
}

function writtenBy<Entity>(
  { name, context, subject, input }: MutationCall<Entity>,
  { projectId, setting }: Attempt,
  id: string,
) {
  return { mutation: name, subject, id, input, projectId, setting, source: context.manner?.source };
}

function auditOf<Entity>(
  { name, context, input, audited = input }: MutationCall<Entity>,
  { projectId }: Attempt,
): Omit<RequestRecord, 'outcome'> {
  const { identity, requestId, callerRequestId } = context;
  return { identity, action: name, projectId, requestId, callerRequestId, details: audited };
}

/** UUID of the object that the input names. Undefined if there is none, as in a creation. */
function changedId<Entity>({ subject, input }: MutationCall<Entity>): string | undefined {
  const { id } = input as { readonly id?: unknown };
  return typeof id === 'string' ? decodeUuid(subject, id) : undefined;
}

async function refuseProtectedNamed<Entity>(tx: Transaction, call: MutationCall<Entity>): Promise<void> {
  const id = changedId(call);
  if (id !== undefined) await refuseProtected(tx, { mutation: call.name, subject: call.subject, id });
}

/** Fields of inputs with secrets, which no history shows. */
const secretFields = ['auth', 'credentials', 'password', 'privateKey'];

function originOf<Entity>({ name, context, input }: MutationCall<Entity>): ChangeOrigin {
  const { identity, requestId } = context;
  return { identity, requestId, mutation: name, secretsSet: secretFields.filter((field) => field in input) };
}

async function keyOf<Entity>(
  { name, context, input }: MutationCall<Entity>,
  { projectId }: Attempt,
): Promise<KeyScope | undefined> {
  const key = input.idempotencyKey;
  if (key === undefined || key === null) return undefined;
  const scope = projectId ?? `user:${context.identity?.id ?? 'anonymous'}`;
  return { scope, operation: name, key, requestHash: await hashSecretRequest(input, key) };
}

/** The payload of a mutation in the graph; `name` is the field of its entity. */
export async function payload<Name extends string, Entity>(
  name: Name,
  running: Promise<MutationOutcome<Entity>>,
): Promise<{ readonly [Field in Name]: Entity | null } & Pick<MutationOutcome<Entity>, 'userErrors' | 'commit'>> {
  const { entity, userErrors, commit } = await running;
  const shown = { [name]: entity } as { readonly [Field in Name]: Entity | null };
  return { ...shown, userErrors, commit };
}

/** The payload of a mutation that deletes the object with the id of its input. */
export async function deletePayload<Name extends string, Entity>(
  name: Name,
  deletedId: string,
  running: Promise<MutationOutcome<Entity>>,
): Promise<
  { readonly [Field in Name]: Entity | null } & Pick<MutationOutcome<Entity>, 'userErrors' | 'commit'> & {
      readonly deletedId: string | null;
    }
> {
  const shown = await payload(name, running);
  return { ...shown, deletedId: shown.userErrors.length === 0 ? deletedId : null };
}

/** Behind a proxy over several servers, a read may reach one that has not applied the write yet. */
async function readBack<Entity>(read: () => Promise<Entity | null | undefined>): Promise<Entity | null | undefined> {
  for (let tried = 1; ; tried += 1) {
    const entity = await read();
    if (entity !== undefined || tried === mostReads) return entity;
    await sleep(readAgainMs);
  }
}

/** An error for a request that may have been carried out. `why`: a sentence without its full stop. */
export function uncertain(why: string): CodedError {
  return new CodedError('OUTCOME_UNCERTAIN', `${why}. ${sameKeyTells}`);
}

/** The `userErrors` of an error after which nothing was done, and that a caller can act on; undefined for any other. */
export function toUserErrors(error: unknown): UserError[] | undefined {
  if (error instanceof Refusal) return [...error.errors];
  if (error instanceof CommitUncertainError) return undefined;
  if (isDiskFull(error))
    return [
      userError(
        'DISK_FULL',
        "the database's disk is full, so nothing was done: free space, then send the request again",
        {
          retryAfterMs: 10_000,
        },
      ),
    ];
  if (isBusy(error))
    return [
      userError(
        'BUSY',
        'the database is changing its primary, or has too much to do, so nothing was done: send the request again',
        { retryAfterMs: 1_000 },
      ),
    ];
  if (error instanceof OneCopyError)
    return [
      userError(
        'UNAVAILABLE',
        'no standby follows the primary of the database, and ha.strict refuses writes with one copy, so nothing was done: bring a standby back, then send the request again',
        { retryAfterMs: 10_000 },
      ),
    ];
  if (isUnavailable(error))
    return [
      userError('UNAVAILABLE', 'the database is not available, so nothing was done: send the request again', {
        retryAfterMs: 1_000,
      }),
    ];
  if (isLockWaitTimeout(error))
    return [
      userError('IN_PROGRESS', 'another request holds the same object: send the request again', {
        retryAfterMs: 1_000,
      }),
    ];
  return undefined;
}
