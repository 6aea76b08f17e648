// The journal's transactions. A call on a free slot costs two: `accept` as SENT, committed before the first byte, and `record`
// with the verdict. A call that waits costs a third (`send`).
import { audit } from '../../../../platform/audit/audit.ts';
import { type Commits, commitMark } from '../../../../platform/database/commits.ts';
import { both, type CommitPoint, type Database, type Transaction } from '../../../../platform/database/database.ts';
import { isNothingChanged, together } from '../../../../platform/database/statement-batch.ts';
import { claimKey, releaseKeyOfCall, restoreKey } from '../../../../platform/edge/idempotency.ts';
import { isDataRefused, isDuplicateKey, ResultLostError } from '../../../../platform/errors/database-errors.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { checkLease } from '../../../../platform/leases/leases.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { isFinal, isUnsettled, keepsClaim, type OperationState } from '../../rules/states.ts';
import { type RelayEvent, relayEvents } from '../events.ts';
import { planMappings, refuseForeignMapping } from '../mappings/mapping-rules.ts';
import {
  lockMappings,
  type MappingsToSettle,
  mappingsToSettle,
  noMappings,
  noNamesake,
  stillAsFound,
} from '../mappings/mapping-store.ts';
import type { AcceptedCall, CallSubject, OperationMark, OperationRow, SentMark, Verdict } from '../model/operation.ts';
import { handClaimBack, lockObject, ObjectClaimedError, readClaim, takeClaimOver } from './claim-store.ts';
import { addEvidence, type Evidence } from './evidence-store.ts';
import {
  firstState,
  insertEnded,
  insertOperation,
  lossesOf,
  type Move,
  markSent,
  moveOperation,
  type NewOperation,
  readOperation,
  type SentUnder,
  takeBack,
  writeProvenVerdict,
  writeVerdict,
} from './operation-store.ts';
import { finalRow } from './written-row.ts';

interface JournalOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly commits: Commits;
  /** UUID of this incarnation of the process. */
  readonly owner: string;
}

/** What a transaction wrote of a call. */
export interface Written {
  /** The mark of its commit. */
  readonly commitId: string;
  /** Undefined if it is not known, for example because the database's answer was lost. */
  readonly row: OperationRow | undefined;
}

/** The result of an attempt to write a verdict. */
export type Recorded =
  | { readonly kind: 'written'; readonly commitId: string; readonly row: OperationRow | undefined }
  /** The call was settled before: the verdict is stored as evidence. */
  | { readonly kind: 'too-late'; readonly commitId: string }
  /** Nothing was sent, and the journal has the call as not sent yet, or not at all: that transaction was rolled back. */
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
   * Accepts a call as PENDING (`sentUnder` absent) or SENT. Throws a Refusal or DuplicateKeyFound, and for SENT also
   * ObjectClaimedError or MustWaitError: nothing is written then.
   */
  async accept(
    call: AcceptedCall,
    { deadlineMs, sentUnder }: { readonly deadlineMs: number; readonly sentUnder?: SentUnder },
  ): Promise<Written> {
    const proofs = this.#db.commitProofs;
    const accepted = this.#db.transaction(async (tx) => {
      if (sentUnder === undefined) tx.afterCommit(() => this.#wake.notify(`backend/${call.backendId}`));
      try {
        const [, , inserted] = await together(
          tx,
          (batch) => [
            call.key === null ? nothing : claimKey(batch, call.key, { callId: call.id }),
            sentUnder !== undefined && call.forced ? takeClaimOver(batch, call) : nothing,
            this.#insert(batch, { call, owner: this.#owner, sentUnder, deadlineMs, proofs }),
          ],
          { commits: true },
        );
        return inserted;
      } catch (error) {
        if (isDuplicateKey(error)) await this.#refuseClaimed(tx, call);
        if (isNothingChanged(error)) await this.#refuseInsert(tx, call, sentUnder, proofs);
        throw error;
      }
    });
    return accepted.catch((error: unknown) => {
      // The mark is all that is still known of its result.
      if (error instanceof ResultLostError) return { commitId: commitMark(error.record), row: undefined };
      throw error;
    });
  }

  /** Writes the row with its commit record, event and audit entry. */
  async #insert(batch: Transaction, operation: NewOperation): Promise<Written> {
    const { call } = operation;
    const event = this.#stateEvent(call, 1, null, firstState(operation));
    let row: OperationRow | undefined;
    const write = async (commitId: string) => {
      row = await insertOperation(batch, operation, commitId);
      return row.timeline;
    };
    const [commitId] = await Promise.all([
      this.#commits.recordWith(batch, write),
      appendStatus(batch, relayEvents, [event], this.#wake),
      audit(batch, { ...auditOf(call), outcome: 'ACCEPTED' }),
    ]);
    return { commitId, row };
  }

  async #refuseClaimed(tx: Transaction, call: CallSubject): Promise<void> {
    await refuseForeignMapping(tx, call);
    const claim = await readClaim(tx, call.backendId, call.objectHash);
    throw new ObjectClaimedError(claim?.operationId ?? '', claim?.state ?? 'GONE');
  }

  /** Finds out why no row was inserted. */
  async #refuseInsert(
    tx: Transaction,
    call: AcceptedCall,
    sentUnder: SentUnder | undefined,
    proofs: readonly CommitPoint[],
  ): Promise<void> {
    await refuseForeignMapping(tx, call);
    const losses = await lossesOf(tx, call, proofs);
    if (losses.isSetBack) {
      this.#db.doubt();
      refuse('UNAVAILABLE', 'the database lacks recent commits, so it may have been set back: send the request again', {
        retryAfterMs: 1_000,
      });
    }
    if (losses.later)
      refuse('UNAVAILABLE', 'the last writes of the database have just been lost: send the request again', {
        retryAfterMs: 1_000,
      });
    if (losses.mayRepeat && call.effect === 'NON_IDEMPOTENT')
      refuse(
        'REPLAY_UNCERTAIN',
        'the database lost writes, so it is unknown whether this call was made before: look at the backend, then run "tidegate timeline lift"',
        { field: ['input', 'idempotencyKey'] },
      );
    if (sentUnder !== undefined) throw new MustWaitError();
    refuse('BACKEND_DISABLED', 'the backend was disabled or deleted a moment ago', { field: ['input', 'backend'] });
  }

  /** The call may have been sent before the database was set back. Throws, so that the queue does not try it again at once. */
  async #refuseIfSetBack(
    tx: Transaction,
    { backendId }: CallSubject,
    { backend: { timeline } }: SentUnder,
    proofs: readonly CommitPoint[],
  ): Promise<void> {
    if (!(await lossesOf(tx, { timeline, backendId }, proofs)).isSetBack) return;
    this.#db.doubt();
    throw new Error('the database lacks recent commits, so it may have been set back');
  }

  /**
   * PENDING → SENT. Returns false if the call is no longer waiting, or if the backend is no longer in use or no longer at the
   * version of `sentUnder`. Throws a Refusal, ObjectClaimedError or LeaseLostError: nothing is written then.
   */
  send(call: CallSubject, mark: OperationMark, sentUnder: SentUnder): Promise<boolean> {
    return this.#db
      .transaction(async (tx) => {
        await checkLease(tx, sentUnder.lease);
        if (call.forced) await takeClaimOver(tx, call);
        const proofs = this.#db.commitProofs;
        const sent = await markSent(tx, call, mark, this.#owner, sentUnder, proofs).catch(async (error: unknown) => {
          if (isDuplicateKey(error)) await this.#refuseClaimed(tx, call);
          throw error;
        });
        if (!sent) await this.#refuseIfSetBack(tx, call, sentUnder, proofs);
        // Rolls back the claim, too, if it was taken over.
        if (!sent) throw new NotWaitingError();
        // Under the claim: nothing changes the mappings any more.
        await refuseForeignMapping(tx, call);
        await together(tx, (batch) => [
          appendStatus(batch, relayEvents, [this.#stateEvent(call, mark.version + 1, mark.state, 'SENT')], this.#wake),
          this.#commits.record(batch),
        ]);
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof NotWaitingError) return false;
        throw error;
      });
  }

  /**
   * Reads the mappings that a verdict will depend on while the device works: this saves `record` a round trip. Undefined for a
   * forced call, whose verdict depends on other calls too.
   */
  async foresee(call: CallSubject): Promise<MappingsToSettle | undefined> {
    if (call.forced) return undefined;
    // Not worth a query: the object of a creating call usually has no mappings yet, and `record` reads them itself if there are
    // any.
    if (call.mapping === 'creates') return noMappings;
    return mappingsToSettle(this.#db, call);
  }

  /**
   * Records the owner's verdict. If the row has changed in the meantime, it is read again, and a settled call gets evidence
   * instead. A conflict of mappings never prevents the record.
   */
  async record(
    call: AcceptedCall,
    sent: SentMark,
    verdict: Verdict,
    foreseen?: MappingsToSettle | undefined,
  ): Promise<Recorded> {
    try {
      if (foreseen !== undefined) return await this.#recordAsForeseen(call, sent, verdict, foreseen);
    } catch (error) {
      if (!isNothingChanged(error) && !isDataRefused(error)) throw error;
    }
    try {
      return await this.#record(call, sent, verdict);
    } catch (error) {
      if (!isDataRefused(error) || call.mapping === null) throw error;
      const words = error instanceof Error ? error.message : String(error);
      const unmapped = `the mapping could not be written: ${words}`;
      return this.#record({ ...call, mapping: null }, sent, verdict, unmapped);
    }
  }

  /** In one round trip. Fails, and writes nothing, when the row or the mappings are not as foreseen. */
  #recordAsForeseen(
    call: AcceptedCall,
    sent: SentMark,
    verdict: Verdict,
    foreseen: MappingsToSettle,
  ): Promise<Recorded> {
    const asForeseen = both(stillAsFound(call, foreseen), noNamesake(call, verdict.uuid));
    const write = async (batch: Transaction): Promise<Written> => {
      let row: OperationRow | undefined;
      const commitId = await this.#commits.recordWith(batch, async (id) => {
        const proof = { provided: asForeseen, commitId: id };
        const { timeline, at } = await writeProvenVerdict(batch, sent, this.#owner, verdict, proof);
        row = sent.row && finalRow(sent.row, verdict, at);
        return timeline;
      });
      return { commitId, row };
    };
    return this.#db.transaction((tx) => this.#conclude(tx, call, sent, verdict, { found: foreseen, write }), {
      endsWork: true,
    });
  }

  /** `unmapped`: why the mappings are left alone, for the evidence. */
  #record(call: AcceptedCall, sent: OperationMark, verdict: Verdict, unmapped?: string): Promise<Recorded> {
    return this.#db.transaction(
      async (tx) => {
        if (unmapped !== undefined) await addEvidence(tx, call.id, mappingEvidence(unmapped));
        const written = await this.#settle(tx, call, sent, verdict);
        if (written !== undefined) return written;
        // A locking read: it waits for an earlier transaction of this process whose COMMIT was interrupted, and
        // so shows its result.
        const row = await readOperation(tx, call.id, 'FOR UPDATE');
        const told = verdict.settledBy !== 'not-sent';
        if (row === undefined) return this.#insertEnded(tx, call, verdict);
        if (row.state === 'PENDING' && !told) return { kind: 'never-sent' };
        if (row.state === verdict.state && row.owner === this.#owner && row.settledBy === verdict.settledBy)
          // An earlier attempt was committed although its answer was lost.
          return { kind: 'written', commitId: await this.#commits.record(tx), row };
        // SENT: its transaction has ended only now.
        // PENDING: a failover has lost that it was sent.
        const late = row.state === 'PENDING' || (row.state === 'UNKNOWN' && verdict.state !== 'UNKNOWN');
        if (late || (row.state === 'SENT' && row.owner === this.#owner)) {
          // Another call may have its claim.
          const claim = late ? await lockObject(tx, call) : undefined;
          if (row.owner !== this.#owner || row.state === 'PENDING')
            await takeBack(tx, call, this.#owner, claim === undefined);
          const settled = await this.#settle(tx, call, row, verdict);
          if (settled !== undefined) return settled;
        }
        const evidence = { source: 'reply', finding: verdict.state, note: verdict.error?.message ?? null };
        await this.#evidence(tx, call, row, evidence);
        return { kind: 'too-late', commitId: await this.#commits.record(tx) };
      },
      { endsWork: true },
    );
  }

  /**
   * The row of a call that has none. Never sent: only with this row is it certain that it is not journaled as sent later. Sent: a
   * failover lost the row.
   */
  async #insertEnded(tx: Transaction, call: AcceptedCall, verdict: Verdict): Promise<Recorded> {
    const told = verdict.settledBy !== 'not-sent';
    const claim = told ? await lockObject(tx, call) : undefined;
    const [found] = told ? await together(tx, (batch) => [lockMappings(batch, call, verdict.uuid)]) : [noMappings];
    const [commitId, row] = await together(
      tx,
      (batch) => {
        const inserted = insertEnded(batch, call, this.#owner, verdict, claim === undefined);
        const entry = told ? ({ outcome: 'ACCEPTED' } as const) : ({ outcome: 'REFUSED', code: 'NOT_SENT' } as const);
        return [
          this.#commits.record(batch),
          readOperation(batch, call.id),
          inserted,
          audit(batch, { ...auditOf(call), ...entry }),
          told && call.key !== null ? restoreKey(batch, call.key, call.id) : nothing,
          ...this.#follow(batch, call, found, { version: 0, state: null }, verdict, verdict.error?.message),
        ];
      },
      { commits: true },
    );
    return { kind: 'written', commitId, row };
  }

  /**
   * Any other transition. Returns false if the row no longer matches `mark`. Also returns false if it would reject a call that may
   * have been sent before a failover, or if such a call would need the claim of a call that is under way.
   */
  move(
    call: CallSubject,
    mark: OperationMark,
    move: Move & { readonly uuid?: string; readonly evidence?: Evidence },
  ): Promise<boolean> {
    return this.#db.transaction((tx) => this.moveIn(tx, call, mark, move), { endsWork: true });
  }

  /** Like `move`, in the caller's transaction, which writes the commit mark. */
  async moveIn(
    tx: Transaction,
    call: CallSubject,
    mark: OperationMark,
    move: Move & { readonly uuid?: string; readonly evidence?: Evidence },
  ): Promise<boolean> {
    // A call that was never sent has changed nothing.
    const changes = call.mapping !== null && move.to !== 'REJECTED';
    const claims = mark.state === 'PENDING' && keepsClaim(move.to);
    // A call that is not under way has no claim, or may have lost it to a forced one.
    const claim = claims || (changes && mark.state !== 'SENT') ? await lockObject(tx, call) : undefined;
    // Later: it could not get the claim back when that one ends.
    if (claims && claim !== undefined && !isUnsettled(claim.state)) return false;
    if (!(await moveOperation(tx, mark, { ...move, claims: claims && claim === undefined }))) return false;
    if (move.evidence !== undefined) await addEvidence(tx, call.id, move.evidence);
    const reason = move.error?.message ?? move.evidence?.note;
    const [found] = changes ? await together(tx, (batch) => [lockMappings(batch, call, move.uuid)]) : [noMappings];
    await together(tx, (batch) => this.#follow(batch, call, found, mark, { state: move.to, uuid: move.uuid }, reason));
    // Never sent: the key may be used again.
    if (move.to === 'REJECTED') await releaseKeyOfCall(tx, call.id);
    return true;
  }

  /** New evidence without a transition. */
  async #evidence(tx: Transaction, call: CallSubject, mark: OperationMark, evidence: Evidence): Promise<void> {
    if (!(await addEvidence(tx, call.id, evidence, mark))) return;
    await appendStatus(
      tx,
      relayEvents,
      [
        {
          ...this.#subject(call),
          kind: 'relayOperation.evidence',
          subjectVersion: mark.version + 1,
          from: mark.state,
          to: mark.state,
          reason: `${evidence.source}: ${evidence.finding}`,
        },
      ],
      this.#wake,
    );
  }

  /** Adds evidence in the caller's transaction. */
  evidenceIn(tx: Transaction, call: CallSubject, mark: OperationMark, evidence: Evidence): Promise<void> {
    return this.#evidence(tx, call, mark, evidence);
  }

  /** Undefined if the row does not match `from`. Nothing was then written. */
  async #settle(
    tx: Transaction,
    call: CallSubject,
    from: OperationMark,
    verdict: Verdict,
  ): Promise<Recorded | undefined> {
    let found: MappingsToSettle;
    try {
      // Written first: its row's lock is the object's.
      [, found] = await together(tx, (batch) => [
        writeVerdict(batch, from, this.#owner, verdict),
        lockMappings(batch, call, verdict.uuid),
      ]);
    } catch (error) {
      if (isNothingChanged(error)) return undefined;
      throw error;
    }
    return this.#conclude(tx, call, from, verdict, { found });
  }

  /**
   * Writes the consequences of a verdict, and commits. `write` writes the verdict itself if it is not written yet, with the commit
   * record. It returns the row if it is known.
   */
  async #conclude(
    tx: Transaction,
    call: CallSubject,
    from: SentMark,
    verdict: Verdict,
    {
      found,
      write,
    }: {
      readonly found: MappingsToSettle;
      readonly write?: (batch: Transaction) => Promise<Written>;
    },
  ): Promise<Recorded> {
    const isKnown = write !== undefined && from.row !== undefined && isFinal(verdict.state);
    const conclusion = (batch: Transaction) =>
      [
        write?.(batch) ?? this.#commits.record(batch).then((commitId) => ({ commitId, row: undefined })),
        isKnown ? nothing : readOperation(batch, call.id),
        verdict.settledBy === 'not-sent' ? releaseKeyOfCall(batch, call.id) : nothing,
        ...this.#follow(batch, call, found, from, verdict, verdict.error?.message),
      ] as const;
    const [{ commitId, row }, read] = await together(tx, conclusion, { commits: true });
    return { kind: 'written', commitId, row: row ?? read };
  }

  /** The consequences of a new state: mappings, events, the claim. */
  #follow(
    batch: Transaction,
    call: CallSubject,
    found: MappingsToSettle,
    from: { readonly version: number; readonly state: OperationState | null },
    end: { readonly state: OperationState; readonly uuid?: string | undefined; readonly absent?: boolean },
    reason: string | null | undefined,
  ): Promise<void>[] {
    const { state } = end;
    const mappings = planMappings(found, call, end);
    const wasUnsettled = from.state !== null && isUnsettled(from.state);
    const event = this.#stateEvent(call, from.version + 1, from.state, state, reason);
    return [
      ...(mappings.conflict === undefined ? [] : [noteConflict(batch, call, mappings.conflict)]),
      ...mappings.writes.map((write) => write(batch)),
      appendStatus(batch, relayEvents, [event, ...mappings.events], this.#wake),
      !keepsClaim(state) && (call.forced || wasUnsettled) ? handClaimBack(batch, call) : nothing,
    ];
  }

  #subject(call: CallSubject) {
    return {
      projectId: call.projectId,
      subjectId: call.id,
      subjectName: call.name,
      requestId: call.requestId,
      cmpObject: call.cmp,
    };
  }

  #stateEvent(
    call: CallSubject,
    version: number,
    from: OperationState | null,
    to: OperationState,
    reason?: string | null,
  ): RelayEvent {
    const subject = this.#subject(call);
    return { ...subject, kind: 'relayOperation.state', subjectVersion: version, from, to, reason: reason ?? call.name };
  }
}

function auditOf(call: AcceptedCall) {
  return {
    identity: call.identity,
    action: call.action,
    projectId: call.projectId,
    subjectType: 'RelayOperation',
    subjectId: call.id,
    requestId: call.requestId ?? '',
    callerRequestId: call.callerRequestId,
    details: call.input,
  };
}

function mappingEvidence(note: string): Evidence {
  return { source: 'mapping', finding: 'CONFLICT', note };
}

async function noteConflict(batch: Transaction, call: CallSubject, note: string): Promise<void> {
  await addEvidence(batch, call.id, mappingEvidence(note));
}

/** Placeholder for a statement that is not needed. */
const nothing = Promise.resolve(undefined);

/** The call can't be sent at once: another one waits for the same object, or a condition for sending it no longer holds. */
export class MustWaitError extends Error {}

/** Rolls back `send`, including the claim. */
class NotWaitingError extends Error {}
