// The edge of every mutation that only writes to the database: key, effects, audit and commit record in one transaction,
// and every failure that a caller can act on turned into `userErrors`.
import { type AuditRecord, audit } from './audit.ts';
import type { Commits, CommitToken } from './commits.ts';
import type { Database, Transaction } from './database/database.ts';
import { CommitUncertainError, isDiskFull, isLockWaitTimeout, isUnavailable } from './database/errors.ts';
import { Refusal, type UserError, userError } from './errors.ts';
import {
  claimKey,
  DuplicateKeyFound,
  hashSecretRequest,
  type KeyScope,
  readKey,
  recordResult,
  refuseInProgress,
} from './idempotency.ts';
import type { RequestContext } from './identity.ts';
import type { Logger } from './log.ts';

export interface MutationCall<Result> {
  /** The mutation's name in the graph. */
  readonly name: string;
  readonly context: RequestContext;
  readonly input: { readonly idempotencyKey?: string | null } & object;
  /** UUID, for the audit trail and the key's scope; null: the caller's own scope. */
  readonly projectId: string | null;
  /**
   * All writes. Throw a Refusal to refuse: everything is rolled back, the key too. May run more than once (deadlocks), so
   * it has no effect outside of `tx`. Returns what a repetition gets again: small JSON (ids), and the subject for the
   * audit trail. A repetition does not run it: whether the caller may do this at all is checked before.
   */
  effect(tx: Transaction): Promise<{
    readonly result: Result;
    readonly subject?: { readonly type: string; readonly id: string };
  }>;
}

export interface MutationOutcome<Result> {
  /** Null when refused. */
  readonly result: Result | null;
  readonly userErrors: readonly UserError[];
  readonly commit: CommitToken | null;
  /** True when the result is that of an earlier request with the same key. */
  readonly replayed: boolean;
}

export interface MutationsOptions {
  readonly db: Database;
  readonly commits: Commits;
  readonly log: Logger;
}

interface Stored {
  readonly result: unknown;
  readonly recordId: string;
}

const mostTries = 3;

export class Mutations {
  readonly #db: Database;
  readonly #commits: Commits;
  readonly #log: Logger;

  constructor(options: MutationsOptions) {
    this.#db = options.db;
    this.#commits = options.commits;
    this.#log = options.log;
  }

  /** Runs a mutation. Refusals and lost parts come back as `userErrors`; bugs are thrown. */
  async run<Result>(call: MutationCall<Result>): Promise<MutationOutcome<Result>> {
    try {
      return await this.#run(call);
    } catch (error) {
      const userErrors = toUserErrors(error);
      if (userErrors === undefined) throw error;
      if (error instanceof Refusal) await this.#auditRefusal(call, userErrors);
      else this.#log.warn({ err: error, mutation: call.name }, 'a mutation met a lost database');
      return { result: null, userErrors, commit: null, replayed: false };
    }
  }

  async #run<Result>(call: MutationCall<Result>): Promise<MutationOutcome<Result>> {
    const key = await keyOf(call);
    // For the token, which must not depend on the database once the write is done.
    await this.#commits.timeline();
    for (let attempt = 1; attempt <= mostTries; attempt += 1) {
      try {
        const stored = await this.#db.transaction((tx) => this.#write(tx, call, key));
        return this.#outcome<Result>(stored, false);
      } catch (error) {
        if (!(error instanceof DuplicateKeyFound) || key === undefined) throw error;
      }
      const found = await readKey(this.#db, key);
      if (found.kind === 'conflict')
        throw new Refusal([
          userError(
            'KEY_CONFLICT',
            'this idempotencyKey was used with another input: use a new key for a new request',
            {
              field: ['input', 'idempotencyKey'],
            },
          ),
        ]);
      if (found.kind === 'result') return this.#outcome<Result>(found.result as Stored, true);
      // Free: the key was purged between the two statements.
    }
    return refuseInProgress();
  }

  async #write<Result>(tx: Transaction, call: MutationCall<Result>, key: KeyScope | undefined): Promise<Stored> {
    if (key !== undefined) await claimKey(tx, key);
    const { result, subject } = await call.effect(tx);
    await audit(tx, {
      ...auditOf(call),
      outcome: 'ACCEPTED',
      ...(subject === undefined ? {} : { subjectType: subject.type, subjectId: subject.id }),
    });
    const recordId = await this.#commits.record(tx);
    const stored = { result, recordId };
    if (key !== undefined) await recordResult(tx, key, stored);
    return stored;
  }

  #outcome<Result>(stored: Stored, replayed: boolean): MutationOutcome<Result> {
    const commit = { token: this.#commits.token(stored.recordId) };
    return { result: stored.result as Result, userErrors: [], commit, replayed };
  }

  /** A refusal stands even when it can't be audited: the database being away would have refused it as well. */
  async #auditRefusal<Result>(call: MutationCall<Result>, errors: readonly UserError[]): Promise<void> {
    const code = errors[0]?.code;
    const record: AuditRecord = { ...auditOf(call), outcome: 'REFUSED', ...(code === undefined ? {} : { code }) };
    await audit(this.#db, record).catch((error: unknown) => {
      this.#log.error({ err: error, mutation: call.name }, 'a refusal could not be audited');
    });
  }
}

function auditOf<Result>(call: MutationCall<Result>): Omit<AuditRecord, 'outcome'> {
  const { name, context, projectId, input } = call;
  return { identity: context.identity, action: name, projectId, requestId: context.requestId, details: input };
}

async function keyOf<Result>(call: MutationCall<Result>): Promise<KeyScope | undefined> {
  const key = call.input.idempotencyKey;
  if (key === undefined || key === null) return undefined;
  const scope = call.projectId ?? `user:${call.context.identity?.id ?? 'anonymous'}`;
  return { scope, operation: call.name, key, requestHash: await hashSecretRequest(call.input, key) };
}

/** The `userErrors` of an error that a caller can act on; undefined for a bug. */
export function toUserErrors(error: unknown): UserError[] | undefined {
  if (error instanceof Refusal) return [...error.errors];
  if (error instanceof CommitUncertainError)
    return [userError('OUTCOME_UNCERTAIN', 'the database was lost during the commit: the same key tells the outcome')];
  if (isDiskFull(error))
    return [
      userError('UNAVAILABLE', "the database's disk is full: nothing was done; make room, then send it again", {
        retryAfterMs: 10_000,
      }),
    ];
  if (isUnavailable(error))
    return [userError('UNAVAILABLE', 'the database is away: nothing was done', { retryAfterMs: 1_000 })];
  if (isLockWaitTimeout(error))
    return [userError('IN_PROGRESS', 'another request holds the same object: send it again', { retryAfterMs: 1_000 })];
  return undefined;
}
