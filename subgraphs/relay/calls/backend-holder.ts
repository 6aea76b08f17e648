// One backend, held by this process under its lease: its sessions, its queue, what is on the wire. Calls on one object go
// one after the other; the queue is the journal's PENDING rows, in order.
import type { Database } from '../../../platform/database/database.ts';
import { CommitUncertainError } from '../../../platform/database/errors.ts';
import { Refusal } from '../../../platform/errors.ts';
import { encodeId } from '../../../platform/ids.ts';
import { type HeldLease, LeaseLostError, type Leases } from '../../../platform/leases.ts';
import { type Logger, withRequestId } from '../../../platform/log.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import { changeBackend } from '../backends/backend-events.ts';
import { type BackendRow, credentialsOf, lockBackend, readBackend } from '../backends/backend-store.ts';
import { openEndpoint } from '../backends/credentials.ts';
import type { Driver, DriverOperation, JsonObject, WireCall } from '../drivers/driver.ts';
import type { RelaySettings } from '../settings.ts';
import type {
  Endpoint,
  ReserveFailure,
  SendOptions,
  SendResult,
  Slot,
  Transport,
  TransportFactory,
} from '../transports/session.ts';
import { CircuitBreaker, isOurs, passage } from './circuit.ts';
import { ObjectClaimedError } from './claim-store.ts';
import type { CallEnd, Completions } from './completions.ts';
import type { Journal } from './journal.ts';
import { type CallSubject, type OperationMark, type OperationRow, subjectOf } from './operation.ts';
import { readPending } from './operation-store.ts';
import { processLease } from './process-lease.ts';
import { verdictOf } from './verdict.ts';
import type { VerdictRecorder } from './verdict-recorder.ts';

export interface HolderParts {
  readonly db: Database;
  readonly leases: Leases;
  /** UUID of this incarnation of the process. */
  readonly owner: string;
  readonly wake: Wake;
  readonly journal: Journal;
  readonly recorder: VerdictRecorder;
  readonly completions: Completions;
  readonly sealer: Sealer;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly transports: TransportFactory;
  readonly settings: RelaySettings;
  readonly log: Logger;
}

/** A free slot, and the right to call on one object. Launch it or give it back. */
export interface Ticket {
  readonly slot: Slot;
  readonly objectHash: string;
  readonly lease: HeldLease;
}

/** A call that the journal has as SENT, acknowledged. */
export interface Launch {
  readonly subject: CallSubject;
  readonly mark: OperationMark;
  readonly operation: DriverOperation;
  readonly args: JsonObject;
  readonly wire: WireCall;
  readonly deadlineMs: number;
  /** performance.now() from before the SENT transaction. */
  readonly windowFromMs: number;
}

const headOfQueue = 100;
/** How long a call waits for a session's next channel before it is journaled as waiting. */
const slotPatienceMs = 250;

export class BackendHolder {
  readonly id: string;
  readonly #parts: HolderParts;
  readonly #lease: HeldLease;
  readonly #circuit: CircuitBreaker;
  readonly #objects = new Set<string>();
  readonly #running = new Set<Promise<CallEnd>>();
  readonly #stopListening: () => void;
  #row: BackendRow;
  #transport: Transport;
  #endpointText: string;
  /** Calls whose clients were told that they wait: what comes after that must not overtake them. */
  readonly #promised = new Set<string>();
  /** True while calls wait, or may. */
  #waiting = true;
  #pumping: Promise<void> | undefined;
  #pumpAgain = false;
  #closing = false;
  #usedAtMs = performance.now();

  private constructor(parts: HolderParts, lease: HeldLease, row: BackendRow, endpoint: Endpoint) {
    this.id = row.id;
    this.#parts = parts;
    this.#lease = lease;
    this.#row = row;
    this.#circuit = new CircuitBreaker(parts.settings.circuitFailures);
    this.#endpointText = JSON.stringify([endpoint, row.concurrency]);
    this.#transport = this.#connect(endpoint, row);
    this.#stopListening = parts.wake.on(`backend/${row.id}`, () => this.poke());
  }

  /** The lease is the holder's from here on. */
  static async open(parts: HolderParts, lease: HeldLease, row: BackendRow): Promise<BackendHolder> {
    const credentials = (await credentialsOf(parts.db, [row.id])).get(row.id) ?? [];
    const holder = new BackendHolder(parts, lease, row, openEndpoint(parts.sealer, row, credentials));
    holder.poke();
    return holder;
  }

  /** False once the lease is lost or the holder is being closed: nothing more is sent. */
  get live(): boolean {
    return !this.#closing && !this.#lease.signal.aborted;
  }

  /** Nothing waits, nothing is on the wire. */
  get idleMs(): number {
    return this.#waiting || this.#running.size > 0 ? 0 : performance.now() - this.#usedAtMs;
  }

  get sessions(): number {
    return this.#transport.state().sessions;
  }

  /** Reads: one call outside of the queue and the journal, through the same sessions and circuit. */
  async ask(wire: WireCall, options: SendOptions): Promise<SendResult> {
    this.#usedAtMs = performance.now();
    const trying = this.#row.circuitState !== 'CLOSED';
    const sent = await this.#transport.send(wire, options);
    if (sent.ok || sent.failure.kind === 'NO_VERDICT') {
      this.#circuit.succeeded();
      if (trying) await this.#setCircuit('CLOSED', null);
    } else {
      await this.#noteFailure(sent.failure, trying);
    }
    return sent;
  }

  /** Takes over a row that was read later than the one known: a new endpoint is a new transport. */
  async refresh(row: BackendRow): Promise<void> {
    if (row.version === this.#row.version) return;
    const credentials = (await credentialsOf(this.#parts.db, [row.id])).get(row.id) ?? [];
    if (row.version < this.#row.version || !this.live) return;
    const endpoint = openEndpoint(this.#parts.sealer, row, credentials);
    const text = JSON.stringify([endpoint, row.concurrency]);
    if (row.circuitState === 'CLOSED' && this.#row.circuitState !== 'CLOSED') this.#circuit.succeeded();
    this.#row = row;
    if (text === this.#endpointText) return;
    const old = this.#transport;
    this.#endpointText = text;
    this.#transport = this.#connect(endpoint, row);
    this.#circuit.succeeded();
    // Calls on the old sessions end by themselves.
    void Promise.allSettled([...this.#running])
      .then(() => old.close())
      .catch((error: unknown) => this.#parts.log.warn({ err: error, backendId: this.id }, 'old sessions not closed'));
  }

  /** A slot for a call that need not wait (whoever waits for a slot comes first); undefined: it must be PENDING. */
  async ticket(objectHash: string): Promise<Ticket | undefined> {
    if (!this.live || this.#promised.size > 0 || this.#objects.has(objectHash)) return undefined;
    this.#objects.add(objectHash);
    const slot = await this.#slotSoon();
    if (slot !== undefined) return this.#ticket(slot, objectHash);
    this.#objects.delete(objectHash);
    if (this.#waiting) this.poke();
    return undefined;
  }

  /** A slot that is free now, or a round trip away on a session that lives. */
  async #slotSoon(): Promise<Slot | undefined> {
    const transport = this.#transport;
    const ready = transport.tryReserve();
    const { sessions, channels } = transport.state();
    if (ready !== undefined || sessions === 0 || channels >= this.#row.concurrency) return ready;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), slotPatienceMs);
    const reservation = await transport.reserve({ signal: patience.signal });
    clearTimeout(timer);
    if (!reservation.ok) {
      await this.#noteFailure(reservation.failure, false);
      return undefined;
    }
    if (this.live && transport === this.#transport) return reservation.slot;
    reservation.slot.release();
    return undefined;
  }

  /** The call's client has its answer, PENDING: its place in the queue counts from now on. */
  promise(operationId: string): void {
    this.#promised.add(operationId);
    this.poke();
  }

  /** Nothing was sent; a call that waits for the object may go on. */
  giveBack(ticket: Ticket): void {
    this.#drop(ticket);
    if (this.#waiting) this.poke();
  }

  #drop(ticket: Ticket): void {
    ticket.slot.release();
    this.#objects.delete(ticket.objectHash);
  }

  /** Sends, and records what came of it. Never rejects; the end is also given to Completions. */
  launch(launch: Launch, ticket: Ticket): Promise<CallEnd> {
    this.#usedAtMs = performance.now();
    const running = withRequestId(launch.subject.requestId ?? launch.subject.id, () => this.#carry(launch, ticket));
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    return running;
  }

  /**
   * The database was lost while a call was journaled as SENT: nothing is sent, the journal is told so as soon as it can
   * be, and until then nobody calls on the object.
   */
  uncertain(subject: CallSubject, mark: OperationMark, ticket: Ticket): void {
    ticket.slot.release();
    void this.#parts.recorder.keepTrying(subject, mark, notSent).then(() => {
      this.#objects.delete(ticket.objectHash);
      this.#parts.completions.finish(subject.id, { verdict: undefined, recorded: undefined });
      this.poke();
    });
  }

  /** Looks at the queue soon. */
  poke(): void {
    this.#waiting = true;
    if (this.#pumping !== undefined) {
      this.#pumpAgain = true;
      return;
    }
    if (!this.live) return;
    this.#pumping = this.#pump()
      .catch((error: unknown) => {
        this.#parts.log.warn({ err: error, backendId: this.id }, 'the queue of a backend could not be worked on');
      })
      .finally(() => {
        this.#pumping = undefined;
        if (this.#pumpAgain) this.poke();
      });
  }

  /** True when a tick should poke: something may wait. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /**
   * Takes nothing more, lets the calls on the wire end (at most `drainMs`), then closes sessions and lease. May be called
   * again with a shorter time.
   */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    this.#stopListening();
    const cut = setTimeout(() => void this.#transport.close(), drainMs);
    await Promise.allSettled([...this.#running]);
    clearTimeout(cut);
    await this.#transport.close();
    await this.#pumping;
    // What was launched by the pump meanwhile has found the transport closed: nothing of it was sent.
    await Promise.allSettled([...this.#running]);
    await this.#lease.release();
  }

  #connect(endpoint: Endpoint, row: BackendRow): Transport {
    const { connectTimeoutMs } = this.#parts.settings;
    return this.#parts.transports(endpoint, { concurrency: row.concurrency, connectTimeoutMs });
  }

  #ticket(slot: Slot, objectHash: string): Ticket {
    this.#objects.add(objectHash);
    this.#usedAtMs = performance.now();
    return { slot, objectHash, lease: this.#lease };
  }

  async #carry(launch: Launch, ticket: Ticket): Promise<CallEnd> {
    const { recorder, completions, settings } = this.#parts;
    const sent = await ticket.slot.send(launch.wire, {
      deadlineMs: launch.deadlineMs,
      beforeFirstByte: () =>
        performance.now() - launch.windowFromMs <= settings.sendWindowMs && !this.#lease.signal.aborted,
    });
    const verdict = verdictOf(sent, launch, settings);
    if (sent.ok) this.#circuit.succeeded();
    const attempt = await recorder.record(launch.subject, launch.mark, verdict);
    const end = { verdict, recorded: attempt.recorded };
    completions.finish(launch.subject.id, end);
    // The object is free once the verdict is in the journal.
    void attempt.done.then(() => {
      this.#objects.delete(ticket.objectHash);
      this.#usedAtMs = performance.now();
      if (this.#waiting) this.poke();
    });
    return end;
  }

  /** Sends what waits, in order, as slots and objects come free. Ends when nothing more can be sent now. */
  async #pump(): Promise<void> {
    while (this.live) {
      this.#pumpAgain = false;
      const rows = await readPending(this.#parts.db, this.id, headOfQueue);
      if (rows.length < headOfQueue) this.#keepPromises(rows);
      if (rows.length === 0) {
        // Synchronously: a call that was journaled since has poked.
        if (this.#pumpAgain) continue;
        this.#waiting = false;
        return;
      }
      const backend = await readBackend(this.#parts.db, this.id);
      if (backend === undefined) return;
      await this.refresh(backend);
      const progressed = await this.#sendFrom(rows, backend);
      if (!progressed && !this.#pumpAgain) return;
    }
  }

  /** Forgets promises to calls that have left the queue. */
  #keepPromises(queue: readonly OperationRow[]): void {
    const waiting = new Set(queue.map((row) => row.id));
    for (const id of this.#promised) if (!waiting.has(id)) this.#promised.delete(id);
  }

  /** True when at least one row left the queue. */
  async #sendFrom(rows: readonly OperationRow[], backend: BackendRow): Promise<boolean> {
    const refusal = this.#refusalOf(backend);
    if (refusal !== undefined) return this.#rejectAll(rows, refusal);
    // Objects whose next call has to wait: calls on one object keep their order.
    const blocked = new Set<string>();
    const sending: Promise<boolean>[] = [];
    const progress = async () => (await Promise.all(sending)).includes(true);
    for (const row of rows) {
      if (!this.live) break;
      if (this.#objects.has(row.objectHash) || blocked.has(row.objectHash)) {
        blocked.add(row.objectHash);
        continue;
      }
      if (await this.#ownerGone(row)) {
        // Recovery's to reject; what comes after on the same object waits for that.
        blocked.add(row.objectHash);
        continue;
      }
      const slot = await this.#reserve(backend);
      if (slot === undefined || !('send' in slot)) {
        if (slot !== undefined) await this.#reject(row, { code: slot.code, message: slot.message });
        await progress();
        return true;
      }
      // Journaled side by side: one after the other, a queue would be as slow as one commit at a time.
      blocked.add(row.objectHash);
      sending.push(this.#sendRow(row, slot).catch((error: unknown) => this.#stillWaits(row, error)));
    }
    return progress();
  }

  /** True when the process that took the call has died: its client is gone too. */
  async #ownerGone(row: OperationRow): Promise<boolean> {
    const { leases, owner } = this.#parts;
    if (row.owner === null || row.owner === owner) return false;
    return (await leases.holder(processLease(row.owner)))?.live !== true;
  }

  #refusalOf(backend: BackendRow): { code: string; message: string } | undefined {
    if (backend.provisioningStatus !== 'ENABLED')
      return { code: 'BACKEND_DISABLED', message: `the backend is ${backend.provisioningStatus}` };
    if (passage(backend, this.#parts.settings.circuitRetryMs) === 'HELD')
      return { code: 'CIRCUIT_OPEN', message: backend.circuitReason ?? 'the circuit is open' };
    return undefined;
  }

  /** A slot; a failure; or undefined when the circuit opened or the holder is closing: look again. */
  async #reserve(backend: BackendRow): Promise<Slot | ReserveFailure | undefined> {
    const trying = passage(backend, this.#parts.settings.circuitRetryMs) === 'TRY';
    if (trying && this.#row.circuitState !== 'HALF_OPEN') await this.#setCircuit('HALF_OPEN', backend.circuitReason);
    const transport = this.#transport;
    const reservation = await transport.reserve({ signal: this.#lease.signal });
    if (reservation.ok) {
      if (transport !== this.#transport) {
        reservation.slot.release();
        return undefined;
      }
      if (this.#row.circuitState !== 'CLOSED') await this.#setCircuit('CLOSED', null);
      this.#circuit.succeeded();
      return reservation.slot;
    }
    // Not the device: the endpoint changed, or the lease was lost.
    if (!this.live || isOurs(reservation.failure)) return undefined;
    await this.#noteFailure(reservation.failure, trying);
    return reservation.failure;
  }

  async #noteFailure(failure: ReserveFailure, trying: boolean): Promise<void> {
    const reason = this.#circuit.failed(failure, trying);
    if (reason !== undefined) await this.#setCircuit('OPEN', reason);
  }

  async #setCircuit(state: 'OPEN' | 'HALF_OPEN' | 'CLOSED', reason: string | null): Promise<void> {
    const { db, wake } = this.#parts;
    await db.transaction(async (tx) => {
      const row = await lockBackend(tx, this.id);
      if (row === undefined || row.circuitState === state) return;
      await changeBackend(
        tx,
        wake,
        row,
        { circuitState: state, circuitReason: reason?.slice(0, 1024) ?? null },
        reason,
      );
    });
    const row = await readBackend(db, this.id);
    if (row !== undefined) await this.refresh(row);
  }

  /** True when the row left the queue; false when its object is claimed by a call of a process that died. */
  async #sendRow(row: OperationRow, slot: Slot): Promise<boolean> {
    const operation = this.#parts.drivers.get(this.#row.driver)?.operations.get(row.name);
    const subject = subjectOf(row, operation);
    const ticket = this.#ticket(slot, row.objectHash);
    const windowFromMs = performance.now();
    try {
      if (operation === undefined) throw new Refusal([]);
      const sent = await this.#parts.journal.send(subject, row, this.#lease);
      if (!sent) {
        this.#drop(ticket);
        return true;
      }
      const args = JSON.parse(row.arguments) as JsonObject;
      void this.launch(
        {
          subject,
          mark: { id: row.id, state: 'SENT', version: row.version + 1 },
          operation,
          args,
          wire: operation.render(args, { operationId: row.id }),
          deadlineMs: row.callDeadlineMs,
          windowFromMs,
        },
        ticket,
      );
      return true;
    } catch (error) {
      if (error instanceof CommitUncertainError) {
        this.uncertain(subject, { id: row.id, state: 'SENT', version: row.version + 1 }, ticket);
        return true;
      }
      this.#drop(ticket);
      return this.#notSent(row, subject, error);
    }
  }

  async #notSent(row: OperationRow, subject: CallSubject, error: unknown): Promise<boolean> {
    if (error instanceof LeaseLostError) return false;
    if (error instanceof ObjectClaimedError) {
      if (error.state !== 'UNKNOWN') return false;
      const message = `operation ${encodeId('Operation', error.operationId)} on the same object is UNKNOWN: settle it, or force`;
      await this.#reject(row, { code: 'UNSETTLED_PREDECESSOR', message });
      return true;
    }
    if (error instanceof Refusal) {
      const [first] = error.errors;
      const message = first?.message ?? `the driver no longer offers ${subject.name}`;
      await this.#reject(row, { code: first?.code ?? 'NOT_SUPPORTED', message });
      return true;
    }
    return this.#stillWaits(row, error);
  }

  #stillWaits(row: OperationRow, error: unknown): false {
    this.#parts.log.warn({ err: error, operationId: row.id }, 'a call that waits could not be journaled as sent');
    return false;
  }

  async #rejectAll(rows: readonly OperationRow[], error: { code: string; message: string }): Promise<boolean> {
    for (const row of rows) await this.#reject(row, error);
    return true;
  }

  async #reject(row: OperationRow, error: { code: string; message: string }): Promise<void> {
    const operation = this.#parts.drivers.get(this.#row.driver)?.operations.get(row.name);
    const move = { to: 'REJECTED', by: 'owner', settledBy: 'relay', error } as const;
    await this.#parts.journal.move(subjectOf(row, operation), row, move);
    this.#promised.delete(row.id);
    this.#parts.completions.finish(row.id, { verdict: undefined, recorded: undefined });
  }
}

const notSent = {
  state: 'FAILED',
  error: { code: 'NOT_SENT', message: 'the database was lost while the call was journaled: nothing was sent' },
  settledBy: 'not-sent',
} as const;
