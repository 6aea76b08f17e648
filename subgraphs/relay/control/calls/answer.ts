// The last step of a call: waits for its end and returns the operation in its final state. Also for a request that is sent again with its key.

import type { Commits } from '../../../../platform/database/commits.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { type KeyScope, readKey, refuseConflict } from '../../../../platform/edge/idempotency.ts';
import { isLockWaitTimeout, isUnavailable } from '../../../../platform/errors/database-errors.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import { isEnded } from '../../rules/states.ts';
import type { CallEnd } from '../holding/completions.ts';
import { readOperation } from '../journal/operation-store.ts';
import type { CallResult, Verdict } from '../model/operation.ts';
import type { EndWaiter } from './end-waiter.ts';
import type { JobWatcher } from './job-watcher.ts';
import type { TakenCall } from './take.ts';

export const nothing = { operation: null, wireCall: null, deviceCheck: null, userErrors: [], commit: null } as const;

interface CallAnswersOptions {
  readonly db: Database;
  readonly commits: Commits;
  readonly waiter: EndWaiter;
  readonly jobs: Pick<JobWatcher, 'end'>;
}

export class CallAnswers {
  readonly #options: CallAnswersOptions;

  constructor(options: CallAnswersOptions) {
    this.#options = options;
  }

  /** Throws CodedError OUTCOME_NOT_RECORDED or OUTCOME_NOT_READ: the call was accepted, so no other answer is right. */
  async of(call: TakenCall): Promise<CallResult> {
    try {
      return await this.#afterJob(await this.#answer(call.id, await call.end, call.commitId), call.waitUntilMs);
    } catch (error) {
      throw notRead(call.id, error);
    } finally {
      call.stop();
    }
  }

  /** Like `of`, for the earlier call with the same key; undefined when there is none. Refuses KEY_CONFLICT. */
  async ofKey(key: KeyScope, waitMs: number): Promise<CallResult | undefined> {
    const { db, waiter } = this.#options;
    const found = await readKey(db, key);
    if (found.kind === 'conflict') refuseConflict();
    if (found.kind !== 'call') return undefined;
    const waitUntilMs = performance.now() + waitMs;
    const waiting = waiter.forEnd(found.callId, waitMs);
    try {
      const row = await readOperation(db, found.callId);
      const end = row !== undefined && isEnded(row.state) ? undefined : await waiting.end;
      return await this.#afterJob(await this.#answer(found.callId, end, null), waitUntilMs);
    } catch (error) {
      throw notRead(found.callId, error);
    } finally {
      waiting.stop();
    }
  }

  /** The device runs it as a job: waits for that, too. */
  async #afterJob(result: CallResult, waitUntilMs: number): Promise<CallResult> {
    const { operation } = result;
    if (operation?.state !== 'ACCEPTED') return result;
    await this.#options.jobs.end(operation, waitUntilMs - performance.now());
    return this.#answer(operation.id, undefined, null);
  }

  /** `commitId`: of the last write made by this request itself. */
  async #answer(id: string, end: CallEnd | undefined, commitId: string | null): Promise<CallResult> {
    const { db, commits } = this.#options;
    const recorded = end?.recorded;
    if (end?.verdict !== undefined && recorded === undefined) throw notRecorded(id, end.verdict);
    const known = recorded?.kind === 'written' ? recorded.row : undefined;
    const operation = known ?? (await readOperation(db, id));
    if (operation === undefined) throw lost(id);
    if (recorded?.kind === 'written' || recorded?.kind === 'too-late')
      return { ...nothing, operation, commit: { token: commits.token(recorded.commitId) } };
    // Written by another request or process: a commit mark written now comes after it, so that its replication covers it.
    const mark =
      isEnded(operation.state) || commitId === null ? await db.transaction((tx) => commits.record(tx)) : commitId;
    return { ...nothing, operation, commit: { token: commits.token(mark) } };
  }
}

function notRead(id: string, error: unknown): unknown {
  if (!isUnavailable(error) && !isLockWaitTimeout(error)) return error;
  return new CodedError(
    'OUTCOME_NOT_READ',
    'the call was accepted, but its operation could not be read: send the request again with the same key, or read the operation',
    { outcome: { operationId: encodeId('RelayOperation', id) } },
  );
}

/** Its row was committed, and is not there. */
function lost(id: string): CodedError {
  return new CodedError(
    'OUTCOME_NOT_READ',
    'the call was accepted, but a failover lost its operation: whether it was sent is not known, so look at the backend',
    { outcome: { operationId: encodeId('RelayOperation', id) } },
  );
}

function notRecorded(id: string, { state, result, error }: Verdict): CodedError {
  const outcome = {
    operationId: encodeId('RelayOperation', id),
    state,
    result: result ?? null,
    deviceError: error ?? null,
  };
  return new CodedError(
    'OUTCOME_NOT_RECORDED',
    `the outcome of the call is ${state}, but the journal could not be written yet; the relay keeps trying`,
    { outcome },
  );
}
