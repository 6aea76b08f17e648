// The journal's transactions. A call on a free slot costs two: `accept` as SENT, acknowledged before the first byte, and
// `record` with the verdict. One that has to wait costs a third (`send`).
import { audit } from '../../../platform/audit.ts';
import type { Commits } from '../../../platform/commits.ts';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus, type StatusEvent } from '../../../platform/events/append.ts';
import { claimKey, releaseKeyOfCall } from '../../../platform/idempotency.ts';
import { checkLease, type HeldLease } from '../../../platform/leases.ts';
import type { Wake } from '../../../platform/wake.ts';
import { refuseForeignMapping, settleMappings } from '../mappings/mapping-rules.ts';
import { claimObject, releaseClaim } from './claim-store.ts';
import { addEvidence, type Evidence } from './evidence-store.ts';
import type { AcceptedCall, CallSubject, OperationMark, Verdict } from './operation.ts';
import { insertOperation, type Move, markSent, moveOperation, readOperation, writeVerdict } from './operation-store.ts';
import { isEnded, keepsClaim, type OperationState } from './states.ts';

export interface JournalOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly commits: Commits;
  /** UUID of this incarnation of the process. */
  readonly owner: string;
}

/** What became of an attempt to write a verdict. */
export type Recorded =
  | { readonly kind: 'written'; readonly state: OperationState; readonly commitId: string }
  /** The call had been settled before: the verdict is evidence now. */
  | { readonly kind: 'too-late'; readonly commitId: string }
  /** The journal does not have the call as sent: the transaction that said so was rolled back. */
  | { readonly kind: 'never-sent' };

export class Journal {
  readonly #db: Database;
  readonly #wake: Wake;
  readonly #commits: Commits;
  readonly #owner: string;

  constructor(options: JournalOptions) {
    this.#db = options.db;
    this.#wake = options.wake;
    this.#commits = options.commits;
    this.#owner = options.owner;
  }

  /**
   * Takes a call as PENDING (`lease` absent) or SENT. Throws a Refusal or DuplicateKeyFound, and for SENT also
   * ObjectClaimedError, LeaseLostError or MustWaitError: nothing is written then.
   */
  accept(
    call: AcceptedCall,
    options: { readonly deadlineMs: number; readonly lease?: HeldLease },
  ): Promise<{ readonly commitId: string }> {
    const { lease, deadlineMs } = options;
    const state = lease === undefined ? 'PENDING' : 'SENT';
    return this.#db.transaction(async (tx) => {
      if (call.key !== null) await claimKey(tx, call.key, { callId: call.id });
      if (lease !== undefined) {
        await checkLease(tx, lease);
        await claimObject(tx, call);
      }
      await refuseForeignMapping(tx, call);
      const inserted = await insertOperation(tx, { call, owner: this.#owner, state, deadlineMs });
      if (!inserted && state === 'SENT') throw new MustWaitError();
      if (!inserted)
        refuse('BACKEND_DISABLED', 'the backend was disabled or deleted a moment ago', { field: ['input', 'backend'] });
      await appendStatus(tx, [this.#stateEvent(call, 1, null, state)], this.#wake);
      await audit(tx, {
        identity: call.identity,
        action: call.action,
        projectId: call.projectId,
        subjectType: 'Operation',
        subjectId: call.id,
        outcome: 'ACCEPTED',
        requestId: call.requestId ?? '',
        details: call.input,
      });
      if (state === 'PENDING') tx.afterCommit(() => this.#wake.notify(`backend/${call.backendId}`));
      return { commitId: await this.#commits.record(tx) };
    });
  }

  /** PENDING → SENT; false when the call is no longer waiting. Throws as `accept`. */
  send(call: CallSubject, mark: OperationMark, lease: HeldLease): Promise<boolean> {
    return this.#db
      .transaction(async (tx) => {
        await checkLease(tx, lease);
        await claimObject(tx, call);
        await refuseForeignMapping(tx, call);
        if (!(await markSent(tx, mark, this.#owner))) throw new NotWaitingError();
        await appendStatus(tx, [this.#stateEvent(call, mark.version + 1, mark.state, 'SENT')], this.#wake);
        await this.#commits.record(tx);
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof NotWaitingError) return false;
        throw error;
      });
  }

  /** The owner's verdict. When the row moved on meanwhile it is read again, and a settled call gets evidence instead. */
  record(call: CallSubject, sent: OperationMark, verdict: Verdict): Promise<Recorded> {
    return this.#db.transaction(
      async (tx) => {
        if (await writeVerdict(tx, sent, this.#owner, verdict)) return this.#recorded(tx, call, sent, verdict);
        // A locking read: it waits for a transaction of ours whose COMMIT was cut off, and so tells its fate.
        const row = await readOperation(tx, call.id, 'FOR UPDATE');
        if (row === undefined || row.state === 'PENDING') return { kind: 'never-sent' };
        if (row.state === verdict.state && row.owner === this.#owner && row.settledBy === verdict.settledBy)
          // An earlier attempt was committed although its answer was lost.
          return { kind: 'written', state: row.state, commitId: await this.#commits.record(tx) };
        if (
          row.state === 'UNKNOWN' &&
          verdict.state !== 'UNKNOWN' &&
          (await writeVerdict(tx, row, this.#owner, verdict))
        )
          return this.#recorded(tx, call, row, verdict);
        const evidence = { source: 'reply', finding: verdict.state, note: verdict.error?.message ?? null };
        await this.#evidence(tx, call, row, evidence);
        return { kind: 'too-late', commitId: await this.#commits.record(tx) };
      },
      { endsWork: true },
    );
  }

  /** Any other transition; false when the row is no longer as `mark` says. `also` runs in the same transaction. */
  move(
    call: CallSubject,
    mark: OperationMark,
    move: Move & { readonly uuid?: string; readonly evidence?: Evidence },
  ): Promise<boolean> {
    return this.#db.transaction((tx) => this.moveIn(tx, call, mark, move), { endsWork: true });
  }

  /** As `move`, in the caller's transaction, which leaves the commit record. */
  async moveIn(
    tx: Transaction,
    call: CallSubject,
    mark: OperationMark,
    move: Move & { readonly uuid?: string; readonly evidence?: Evidence },
  ): Promise<boolean> {
    if (!(await moveOperation(tx, mark, move))) return false;
    if (move.evidence !== undefined) await addEvidence(tx, call.id, move.evidence);
    const reason = move.error?.message ?? move.evidence?.note;
    await this.#follow(tx, call, mark, { state: move.to, uuid: move.uuid }, reason);
    // Never sent: the key may be used again.
    if (move.to === 'REJECTED') await releaseKeyOfCall(tx, call.id);
    return true;
  }

  /** What was learned without a transition. */
  async #evidence(tx: Transaction, call: CallSubject, mark: OperationMark, evidence: Evidence): Promise<void> {
    if (!(await addEvidence(tx, call.id, evidence, mark))) return;
    await appendStatus(
      tx,
      [
        {
          ...this.#subject(call),
          kind: 'operation.evidence',
          subjectVersion: mark.version + 1,
          from: mark.state,
          to: mark.state,
          reason: `${evidence.source}: ${evidence.finding}`,
        },
      ],
      this.#wake,
    );
  }

  /** Evidence in the caller's transaction. */
  evidenceIn(tx: Transaction, call: CallSubject, mark: OperationMark, evidence: Evidence): Promise<void> {
    return this.#evidence(tx, call, mark, evidence);
  }

  async #recorded(tx: Transaction, call: CallSubject, from: OperationMark, verdict: Verdict): Promise<Recorded> {
    await this.#follow(tx, call, from, verdict, verdict.error?.message);
    if (verdict.settledBy === 'not-sent') await releaseKeyOfCall(tx, call.id);
    return { kind: 'written', state: verdict.state, commitId: await this.#commits.record(tx) };
  }

  /** What follows from a new state: mappings, events, and the claim. */
  async #follow(
    tx: Transaction,
    call: CallSubject,
    from: OperationMark,
    end: { readonly state: OperationState; readonly uuid?: string | undefined; readonly absent?: boolean },
    reason: string | null | undefined,
  ): Promise<void> {
    const { state } = end;
    const mappingEvents = await settleMappings(tx, call, end);
    const event = this.#stateEvent(call, from.version + 1, from.state, state, reason);
    await appendStatus(tx, [event, ...mappingEvents], this.#wake);
    if (!keepsClaim(state)) await releaseClaim(tx, call);
    if (isEnded(state)) tx.afterCommit(() => this.#wake.notify(`operation/${call.id}`));
  }

  #subject(call: CallSubject) {
    return {
      projectId: call.projectId,
      subjectType: 'Operation',
      subjectId: call.id,
      requestId: call.requestId,
    };
  }

  #stateEvent(
    call: CallSubject,
    version: number,
    from: OperationState | null,
    to: OperationState,
    reason?: string | null,
  ): StatusEvent {
    const subject = this.#subject(call);
    return { ...subject, kind: 'operation.state', subjectVersion: version, from, to, reason: reason ?? call.name };
  }
}

/** The call can't be sent at once: another one waits for the same object. */
export class MustWaitError extends Error {}

/** Rolls `send` back, the claim too. */
class NotWaitingError extends Error {}
