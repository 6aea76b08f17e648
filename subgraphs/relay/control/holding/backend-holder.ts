// One backend, held by this process under its lease: its sessions, its circuit, its calls on the wire. Calls on one object run
// one after the other. Waiting calls are in queue-pump.ts.
import { Refusal } from '../../../../platform/errors/errors.ts';
import type { HeldLease } from '../../../../platform/leases/leases.ts';
import { withRequestId } from '../../../../platform/log/log.ts';
import type { ReserveFailure, SendOptions } from '../../../../platform/net/send.ts';
import type { Driver, TransportKind, WireCall } from '../../drivers/driver.ts';
import type { SendResult } from '../../transports/session.ts';
import { type Asked, type BackendEndpoint, Wires, type WiresSlot } from '../../transports/wires.ts';
import { type BackendRow, isNewer } from '../backends/backend.ts';
import { changeBackend, presentedIn } from '../backends/backend-events.ts';
import { type BackendChange, lockBackend, readBackend } from '../backends/backend-store.ts';
import { type Circuit, CircuitBreaker, closedCircuit, isLasting, isOurs } from '../backends/circuit.ts';
import { driverOf, readEndpoint } from '../backends/endpoint.ts';
import { addressDigest } from '../backends/secret-address.ts';
import type { MappingsToSettle } from '../mappings/mapping-store.ts';
import type { AcceptedCall, OperationMark, Verdict } from '../model/operation.ts';
import type { CallEnd } from './completions.ts';
import type { HolderDependencies, Launch, QueueOwner, Ticket } from './holder-dependencies.ts';
import { QueuePump } from './queue-pump.ts';
import { redacted, unreadable, verdictOf } from './verdict.ts';

/** How long a call waits for a session's next channel before it is journaled as waiting. */
const slotPatienceMs = 250;

export class BackendHolder implements QueueOwner {
  readonly id: string;
  readonly #dependencies: HolderDependencies;
  readonly #lease: HeldLease;
  readonly #circuit: CircuitBreaker;
  readonly #objects = new Set<string>();
  /** Handed out and not used up. */
  readonly #tickets = new Map<Ticket, PromiseWithResolvers<void>>();
  readonly #running = new Set<Promise<CallEnd>>();
  readonly #stopListening: () => void;
  /** The waiting calls. */
  readonly queue: QueuePump;
  #row: BackendRow;
  #wires: Wires;
  /** Aborted when they are replaced: waiters for a slot on them then wait for one on the new ones. */
  #replaced = new AbortController();
  /** The backend's address and sealed credentials: the sessions are valid only for these. */
  #endpointText: string;
  /** Why the row's credentials can't be used. */
  #unusable: Refusal | undefined;
  #closing = false;
  #usedAtMs = performance.now();

  private constructor(dependencies: HolderDependencies, lease: HeldLease, row: BackendRow, endpoint: BackendEndpoint) {
    this.id = row.id;
    this.#dependencies = dependencies;
    this.#lease = lease;
    this.#row = row;
    this.#circuit = new CircuitBreaker(dependencies.settings.circuitFailures);
    this.#endpointText = JSON.stringify([addressDigest(row), endpoint, row.concurrency]);
    this.#wires = this.#connect(endpoint, row);
    const listening = [
      dependencies.wake.on(`backend/${row.id}`, () => this.queue.poke()),
      dependencies.wake.on(`backend/${row.id}/changed`, () => void this.readAgain()),
    ];
    this.#stopListening = () => {
      for (const stop of listening) stop();
    };
    this.queue = new QueuePump(dependencies, this);
  }

  /** The holder owns the lease from here on. Refuses CREDENTIALS_UNUSABLE. */
  static async open(dependencies: HolderDependencies, lease: HeldLease, row: BackendRow): Promise<BackendHolder> {
    const read = await readEndpoint(dependencies, row);
    const holder = new BackendHolder(dependencies, lease, read.row, read.endpoint);
    holder.queue.poke();
    return holder;
  }

  /** False once the lease is lost or the holder is closing: nothing more is sent. */
  get live(): boolean {
    return !this.#closing && !this.#lease.signal.aborted;
  }

  /** How long nothing has been waiting or on the wire. */
  get idleMs(): number {
    return this.queue.waiting || this.#running.size > 0 ? 0 : performance.now() - this.#usedAtMs;
  }

  get row(): BackendRow {
    return this.#row;
  }

  get driver(): Driver {
    return driverOf(this.#dependencies.drivers, this.#row);
  }

  get sessions(): number {
    return this.#wires.state().sessions;
  }

  /** Reads: one call outside of the queue and the journal, through the same sessions and circuit. */
  async ask(wire: WireCall, options: SendOptions): Promise<Asked> {
    this.#usedAtMs = performance.now();
    const trying = this.#row.circuitState !== 'CLOSED';
    const wires = this.#wires;
    const sent = await wires.send(wire, options);
    if (!sent.ok && sent.failure.kind === 'NOT_SENT')
      await this.#noteFailure(wires, sent.redactor.value(sent.failure), trying);
    else if (this.#speaksFor(wires)) {
      this.#circuit.succeeded();
      if (trying) await this.#setCircuit(wires, closedCircuit);
    }
    return sent;
  }

  /**
   * Replaces the known row by a newer one: a new endpoint gets a new transport. Refuses CREDENTIALS_UNUSABLE: then the old
   * endpoint is not used either.
   */
  async refresh(given: BackendRow): Promise<void> {
    if (!isNewer(given, this.#row)) {
      if (this.#unusable !== undefined) throw this.#unusable;
      return;
    }
    let read: Awaited<ReturnType<typeof readEndpoint>>;
    try {
      read = await readEndpoint(this.#dependencies, given);
    } catch (error) {
      if (error instanceof Refusal && isNewer(given, this.#row)) this.#giveUp(given, error);
      throw error;
    }
    const { row, endpoint } = read;
    if (!isNewer(row, this.#row) || !this.live) return;
    const text = JSON.stringify([addressDigest(row), endpoint, row.concurrency]);
    if (row.circuitState === 'CLOSED' && this.#row.circuitState !== 'CLOSED') this.#circuit.succeeded();
    this.#row = row;
    this.#unusable = undefined;
    if (text === this.#endpointText) return;
    const old = this.#wires;
    this.#endpointText = text;
    this.#wires = this.#connect(endpoint, row);
    this.#circuit.succeeded();
    this.#retire(old);
  }

  /** Its row may have changed: a call that waits for a session at the old address must not wait for it, nor get it. */
  async readAgain(): Promise<void> {
    const { db, log } = this.#dependencies;
    try {
      const row = await readBackend(db, this.id);
      if (row !== undefined) await this.refresh(row);
    } catch (error) {
      if (!(error instanceof Refusal))
        log.warn({ err: error, backendId: this.id }, 'a backend could not be read again');
    }
    this.queue.poke();
  }

  #giveUp(row: BackendRow, refusal: Refusal): void {
    this.#row = row;
    this.#unusable = refusal;
    this.#endpointText = '';
    this.#retire(this.#wires);
  }

  /** Calls on the old sessions run to their end. So do calls that have a session and are not sent yet. */
  #retire(old: Wires): void {
    this.#replaced.abort();
    this.#replaced = new AbortController();
    void Promise.all([...this.#tickets.values()].map(({ promise }) => promise))
      .then(() => Promise.allSettled([...this.#running]))
      .then(() => old.close())
      .catch((error: unknown) =>
        this.#dependencies.log.warn({ err: error, backendId: this.id }, 'old sessions not closed'),
      );
  }

  /** A slot for a call that can be sent at once (waiting calls come first). Undefined if the call must become PENDING. */
  async ticket(objectHash: string, kind: TransportKind): Promise<Ticket | undefined> {
    if (!this.live || this.queue.promising || this.#objects.has(objectHash)) return undefined;
    this.#objects.add(objectHash);
    let slot: WiresSlot | undefined;
    try {
      slot = await this.#slotSoon(kind);
    } finally {
      // Also when a failure could not be noted because the database is lost.
      if (slot === undefined) {
        this.#objects.delete(objectHash);
        this.queue.pokeIfWaiting();
      }
    }
    return slot && this.take(slot, objectHash);
  }

  /** A call on the object is under way, or its verdict is not in the journal yet. */
  isBusy(objectHash: string): boolean {
    return this.#objects.has(objectHash);
  }

  /** A slot that is free now, or one round trip away on a live session. */
  async #slotSoon(kind: TransportKind): Promise<WiresSlot | undefined> {
    const wires = this.#wires;
    const ready = wires.tryReserve(kind);
    const { sessions, channels } = wires.state(kind);
    if (ready !== undefined || sessions === 0 || channels >= this.#row.concurrency) return ready;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), slotPatienceMs);
    const reservation = await wires.reserve(kind, { signal: patience.signal });
    clearTimeout(timer);
    if (!reservation.ok) {
      await this.#noteFailure(wires, wires.redactor.value(reservation.failure), false);
      return undefined;
    }
    if (this.live && wires === this.#wires) return reservation.slot;
    reservation.slot.release();
    return undefined;
  }

  /** Gives the slot back after nothing was sent. A call that waits for the object may proceed. */
  giveBack(ticket: Ticket): void {
    this.drop(ticket);
    this.queue.pokeIfWaiting();
  }

  /** Like giveBack, for the queue itself. */
  drop(ticket: Ticket): void {
    ticket.slot.release();
    this.#useUp(ticket);
    this.#objects.delete(ticket.objectHash);
  }

  /** Sends, and records the result. Never rejects; the end is also passed to Completions. */
  launch(launch: Launch, ticket: Ticket): Promise<CallEnd> {
    this.#usedAtMs = performance.now();
    this.#dependencies.completions.begin(launch.call.id);
    const running = withRequestId(launch.call.requestId ?? launch.call.id, () => this.#carry(launch, ticket));
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    this.#useUp(ticket);
    return running;
  }

  /**
   * The database was lost while a call was journaled as SENT: nothing is sent, the journal is corrected as soon as possible, and
   * until then no other call on the object is sent.
   */
  uncertain(call: AcceptedCall, mark: OperationMark, ticket: Ticket): void {
    ticket.slot.release();
    this.#useUp(ticket);
    void this.#dependencies.recorder.keepTrying(call, mark, notSent).then(() => {
      this.#objects.delete(ticket.objectHash);
      this.#dependencies.completions.finish(call.id, { verdict: undefined, recorded: undefined });
      this.queue.poke();
    });
  }

  /**
   * Accepts nothing more, lets the calls on the wire end (at most `drainMs`), then closes sessions and lease. May be called again
   * with a shorter time.
   */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    this.#stopListening();
    const cut = setTimeout(() => void this.#wires.close(), drainMs);
    await Promise.allSettled([...this.#running]);
    clearTimeout(cut);
    await this.#wires.close();
    await this.queue.settled;
    // Calls that the pump launched in the meantime found the transport closed, so no part of these calls was sent.
    await Promise.allSettled([...this.#running]);
    await this.#lease.release();
  }

  #connect(endpoint: BackendEndpoint, row: BackendRow): Wires {
    const { transports, egress, settings } = this.#dependencies;
    const { concurrency, softwareVersion } = row;
    const { connectTimeoutMs, sourceAddress } = settings;
    return new Wires(this.driver, endpoint, {
      ...{ transports, egress, concurrency, connectTimeoutMs, softwareVersion, sourceAddress },
    });
  }

  /** Takes a reserved slot. No other call on the object is sent until the ticket is used up. */
  take(slot: WiresSlot, objectHash: string): Ticket {
    this.#objects.add(objectHash);
    this.#usedAtMs = performance.now();
    const ticket = { slot, objectHash, lease: this.#lease };
    this.#tickets.set(ticket, Promise.withResolvers());
    return ticket;
  }

  #useUp(ticket: Ticket): void {
    this.#tickets.get(ticket)?.resolve();
    this.#tickets.delete(ticket);
  }

  async #carry(launch: Launch, ticket: Ticket): Promise<CallEnd> {
    const { journal, recorder, completions, metrics, settings } = this.#dependencies;
    const fromMs = performance.now();
    let foreseen: Promise<MappingsToSettle | undefined> | undefined;
    const { call } = launch;
    const sent = await ticket.slot.send(call.wire, {
      deadlineMs: call.deadlineMs,
      beforeFirstByte: () => {
        const windowOpen = performance.now() - launch.windowFromMs <= settings.sendWindowMs;
        if (!windowOpen || this.#lease.signal.aborted) return false;
        // After the call was sent; if this read fails, the journal reads the mappings itself.
        setImmediate(() => {
          foreseen ??= journal.foresee(call).catch(() => undefined);
        });
        return true;
      },
    });
    if (ticket.slot.redactor === this.#wires.redactor) this.#noteEnd(sent);
    const verdict = this.#verdictOf(sent, call, ticket);
    const tookMs = verdict.settledBy === 'not-sent' ? undefined : performance.now() - fromMs;
    const ids = { callId: call.id, backendId: this.#row.id };
    metrics.ended(this.#row.driver, call.name, verdict.state, tookMs, ids);
    const attempt = await recorder.record(call, launch.mark, verdict, await foreseen);
    const end = { verdict, recorded: attempt.recorded };
    completions.finish(call.id, end);
    // The object is free when the verdict is in the journal.
    void attempt.done.then(() => {
      this.#objects.delete(ticket.objectHash);
      this.#usedAtMs = performance.now();
      this.queue.pokeIfWaiting();
    });
    return end;
  }

  /** A session may end before the call, and the login after it may be refused: that must not be tried again either. */
  #noteEnd(sent: SendResult): void {
    if (sent.ok) this.#circuit.succeeded();
    else if (sent.failure.kind === 'NOT_SENT' && isLasting(sent.failure)) {
      const wires = this.#wires;
      void this.#noteFailure(wires, wires.redactor.value(sent.failure), false).catch((error: unknown) =>
        this.#dependencies.log.warn({ err: error, backendId: this.id }, 'a circuit was not opened'),
      );
    }
  }

  /** Never throws, because a call that was sent has an outcome, even if the outcome is unknown. */
  #verdictOf(sent: SendResult, call: AcceptedCall, ticket: Ticket): Verdict {
    const { settings, log } = this.#dependencies;
    try {
      return redacted(verdictOf(sent, call, settings), ticket.slot.redactor, call.secrets?.redactor);
    } catch (error) {
      // It may quote the device.
      const said = ticket.slot.redactor.text(error instanceof Error ? (error.stack ?? error.message) : String(error));
      const fault = call.secrets?.redactor.text(said) ?? said;
      log.error({ fault, operationId: call.id }, 'the answer to a call could not be read');
      return unreadable(call, settings);
    }
  }

  /** A slot or a failure. Undefined if the circuit opened or the holder is closing, so the caller must check again. */
  async reserve(kind: TransportKind): Promise<WiresSlot | ReserveFailure | undefined> {
    const trying = this.#row.circuitState !== 'CLOSED';
    const halfOpen = { ...closedCircuit, circuitState: 'HALF_OPEN', circuitReason: this.#row.circuitReason } as const;
    if (trying) await this.#setCircuit(this.#wires, halfOpen);
    const wires = this.#wires;
    const signal = AbortSignal.any([this.#lease.signal, this.#replaced.signal]);
    const reservation = await wires.reserve(kind, { signal });
    if (reservation.ok) {
      if (wires !== this.#wires) {
        reservation.slot.release();
        return undefined;
      }
      if (this.#row.circuitState !== 'CLOSED') await this.#setCircuit(wires, closedCircuit);
      this.#circuit.succeeded();
      return reservation.slot;
    }
    // This is not the device's fault: the endpoint changed, or the lease was lost.
    if (!this.live || isOurs(reservation.failure)) return undefined;
    const failure = wires.redactor.value(reservation.failure);
    return (await this.#noteFailure(wires, failure, trying)) ? failure : undefined;
  }

  /** True while these wires have the backend's address and credentials. */
  #speaksFor(wires: Wires): boolean {
    return wires === this.#wires && this.#unusable === undefined;
  }

  /** Returns false if the failure is no evidence about the backend's present address and credentials. */
  async #noteFailure(wires: Wires, failure: ReserveFailure, trying: boolean): Promise<boolean> {
    if (!this.#speaksFor(wires)) return false;
    const opened = this.#circuit.failed(failure, trying);
    return opened === undefined || this.#setCircuit(wires, opened, presentedIn(failure));
  }

  /** Changes nothing, and returns false, when the wires no longer have the backend's address and credentials. */
  async #setCircuit(wires: Wires, circuit: Circuit, presented: BackendChange = {}): Promise<boolean> {
    const { db, wake } = this.#dependencies;
    while (this.#speaksFor(wires)) {
      const known = this.#row;
      const isKnown = await db.transaction(async (tx) => {
        const row = await lockBackend(tx, this.id);
        if (row === undefined) return true;
        if (isNewer(row, known)) return false;
        const stricter = circuit.circuitLasting && !row.circuitLasting;
        if (row.circuitState !== circuit.circuitState || stricter)
          await changeBackend(tx, wake, row, { ...circuit, ...presented }, circuit.circuitReason);
        return true;
      });
      const row = await readBackend(db, this.id);
      if (row !== undefined) await this.refresh(row);
      // A holder that closes does not follow the row any more.
      if (isKnown || !this.live) return isKnown;
    }
    return false;
  }
}

const notSent = {
  state: 'FAILED',
  error: {
    code: 'NOT_SENT',
    message: 'the connection to the database was lost while the call was journaled; nothing was sent',
  },
  settledBy: 'not-sent',
} as const;
