// The fourth step of a call: the journal records it, as sent if a slot is free, else as waiting. A refusal here has had no effect
// and has not used up the idempotency key.

import type { Database } from '../../../../platform/database/database.ts';
import { CommitUncertainError } from '../../../../platform/errors/database-errors.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { atMost } from '../../../../platform/work/within.ts';
import { deviceAddress } from '../../drivers/device-address.ts';
import { transportOf } from '../../drivers/options.ts';
import { isUnsettled } from '../../rules/states.ts';
import type { BackendRow } from '../backends/backend.ts';
import { passage } from '../backends/circuit.ts';
import { refuseUnusable } from '../backends/usable.ts';
import type { BackendManager } from '../holding/backend-manager.ts';
import type { CallEnd } from '../holding/completions.ts';
import { ObjectClaimedError, readClaim, unsettledMessage } from '../journal/claim-store.ts';
import { type Journal, MustWaitError, type Written } from '../journal/journal.ts';
import { countPending } from '../journal/operation-store.ts';
import type { VerdictRecorder } from '../journal/verdict-recorder.ts';
import type { RelaySettings } from '../settings.ts';
import type { EndWaiter } from './end-waiter.ts';
import type { PreparedCall } from './prepare.ts';

/** A journaled call. */
export interface TakenCall {
  readonly id: string;
  /** The commit of the transaction that recorded it. */
  readonly commitId: string;
  /** By `performance.now()`. */
  readonly waitUntilMs: number;
  /** Undefined when it takes longer than the client waits. */
  readonly end: Promise<CallEnd | undefined>;
  /** Ends the wait. */
  stop(): void;
}

interface CallTakerOptions {
  readonly db: Database;
  readonly journal: Journal;
  readonly manager: BackendManager;
  readonly recorder: VerdictRecorder;
  readonly waiter: EndWaiter;
  readonly settings: RelaySettings;
}

export class CallTaker {
  readonly #options: CallTakerOptions;
  /** PENDING rows being inserted, by backend: they count towards the queue's limit. */
  readonly #entering = new Map<string, number>();
  #draining = false;

  constructor(options: CallTakerOptions) {
    this.#options = options;
  }

  /** From now on new calls are refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Records the call as sent if possible, otherwise as waiting. Throws DuplicateKeyFound, and Refusals. */
  async take(call: PreparedCall): Promise<TakenCall> {
    return (await this.takeNow(call)) ?? this.#enqueue(call);
  }

  /** Like `take`, but returns undefined and writes nothing if the call would have to wait. */
  async takeNow(prepared: PreparedCall): Promise<TakenCall | undefined> {
    this.#refuseNow(prepared);
    const { manager, journal, settings } = this.#options;
    const { backend } = prepared;
    const holder = await manager.hold(backend);
    const open = passage(backend, settings.circuitRetryMs) !== 'PASS';
    const ticket = open ? undefined : await holder?.ticket(prepared.objectHash, transportOf(prepared.wire));
    if (holder === undefined || ticket === undefined) return undefined;
    const call = { ...prepared, address: ticket.slot.address };
    const windowFromMs = performance.now();
    const mark = { id: call.id, state: 'SENT', version: 1 } as const;
    let accepted: Written;
    try {
      const sentUnder = { lease: ticket.lease, backend };
      accepted = await journal.accept(call, { deadlineMs: call.deadlineMs, sentUnder });
    } catch (error) {
      if (error instanceof CommitUncertainError) holder.uncertain(call, mark, ticket);
      else holder.giveBack(ticket);
      // Waits in the queue instead: for the process that holds the backend now, or for the recovery of a dead process's call.
      if (error instanceof MustWaitError) return undefined;
      if (error instanceof ObjectClaimedError && !isUnsettled(error.state)) return undefined;
      if (error instanceof ObjectClaimedError) refuse('UNSETTLED_PREDECESSOR', unsettledMessage(error));
      throw error;
    }
    const waitUntilMs = performance.now() + call.waitMs;
    const { commitId, row } = accepted;
    const end = holder.launch({ call, mark: { ...mark, row }, windowFromMs }, ticket);
    return { id: call.id, commitId, waitUntilMs, end: atMost(call.waitMs, end), stop: () => undefined };
  }

  async #enqueue(call: PreparedCall): Promise<TakenCall> {
    const { db, journal, waiter, settings } = this.#options;
    const claim = await readClaim(db, call.backendId, call.objectHash);
    if (claim !== undefined && isUnsettled(claim.state) && !call.forced)
      refuse('UNSETTLED_PREDECESSOR', unsettledMessage(claim));
    const leave = await this.#enter(call.backend);
    const waitUntilMs = performance.now() + call.waitMs;
    const waiting = waiter.forEnd(call.id, call.waitMs);
    try {
      const address = deviceAddress(call.driver, { ...call.backend, options: call.rendering.backend.options });
      const { commitId } = await journal.accept({ ...call, address }, { deadlineMs: settings.queueTimeoutMs });
      return { id: call.id, commitId, waitUntilMs, end: waiting.end, stop: waiting.stop };
    } catch (error) {
      waiting.stop();
      throw error;
    } finally {
      leave();
    }
  }

  /** Reasons against any call now. */
  #refuseNow(call: PreparedCall): void {
    refuseUnusable(call.backend, call.wire, this.#options.settings);
    if (this.#draining)
      refuse('UNAVAILABLE', 'this relay is shutting down: send the request again', { retryAfterMs: 500 });
    if (this.#options.recorder.full)
      refuse('UNAVAILABLE', 'too many outcomes are waiting for the database, so new calls are refused', {
        retryAfterMs: 5_000,
      });
  }

  /** A place in the queue, or BUSY. Rows that are being inserted count as queued. */
  async #enter(backend: BackendRow): Promise<() => void> {
    const place = (this.#entering.get(backend.id) ?? 0) + 1;
    this.#entering.set(backend.id, place);
    const leave = () => {
      const rest = (this.#entering.get(backend.id) ?? 1) - 1;
      if (rest > 0) this.#entering.set(backend.id, rest);
      else this.#entering.delete(backend.id);
    };
    try {
      const waiting = await countPending(this.#options.db, backend.id);
      if (waiting + place > backend.queueLimit)
        refuse(
          'BUSY',
          `${waiting} calls are waiting for backend ${backend.name}, whose limit is ${backend.queueLimit}`,
          {
            field: ['input', 'backend'],
            retryAfterMs: 1_000,
          },
        );
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }
}
