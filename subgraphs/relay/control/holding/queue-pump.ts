// A backend's queue: the journal's PENDING rows, in order. The holder sends the calls as slots and objects become free. It rejects
// calls that can't be sent any more, which frees their idempotency keys.
import { CommitUncertainError } from '../../../../platform/errors/database-errors.ts';
import { Refusal } from '../../../../platform/errors/errors.ts';
import { LeaseLostError } from '../../../../platform/leases/leases.ts';
import { processLeaseName } from '../../../../platform/leases/process-lease.ts';
import type { JsonObject } from '../../drivers/driver.ts';
import { transportOf } from '../../drivers/options.ts';
import { isUnsettled } from '../../rules/states.ts';
import type { WiresSlot } from '../../transports/wires.ts';
import type { BackendRow } from '../backends/backend.ts';
import { readBackend } from '../backends/backend-store.ts';
import { passage } from '../backends/circuit.ts';
import { contextOf } from '../backends/endpoint.ts';
import { ObjectClaimedError, unsettledMessage } from '../journal/claim-store.ts';
import { readHeads, readPending, type WaitingRow } from '../journal/operation-store.ts';
import { type AcceptedCall, type OperationRow, subjectOf, waitingCall } from '../model/operation.ts';
import type { HolderDependencies, QueueOwner } from './holder-dependencies.ts';

const headOfQueue = 100;

export class QueuePump {
  readonly #dependencies: HolderDependencies;
  readonly #holder: QueueOwner;
  /** Calls whose clients know that they wait. Later calls must not overtake them. */
  readonly #promised = new Set<string>();
  #waiting = true;
  #pumping: Promise<void> | undefined;
  #again = false;

  constructor(dependencies: HolderDependencies, holder: QueueOwner) {
    this.#dependencies = dependencies;
    this.#holder = holder;
  }

  /** True while calls wait, or may be waiting. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** True while there are calls that must not be overtaken. */
  get promising(): boolean {
    return this.#promised.size > 0;
  }

  /** The current run. */
  get settled(): Promise<void> {
    return this.#pumping ?? Promise.resolve();
  }

  /** The call's client has the answer PENDING: from now on its place in the queue must be kept. */
  promise(operationId: string): void {
    this.#promised.add(operationId);
    this.poke();
  }

  /** Checks the queue soon. */
  poke(): void {
    this.#waiting = true;
    if (this.#pumping !== undefined) {
      this.#again = true;
      return;
    }
    if (!this.#holder.live) return;
    this.#pumping = this.#pump()
      .catch((error: unknown) => {
        this.#dependencies.log.warn(
          { err: error, backendId: this.#holder.id },
          'the queue of a backend could not be worked on',
        );
      })
      .finally(() => {
        this.#pumping = undefined;
        if (this.#again) this.poke();
      });
  }

  pokeIfWaiting(): void {
    if (this.#waiting) this.poke();
  }

  /** Sends waiting calls, in order, as slots and objects become free. Ends when nothing more can be sent now. */
  async #pump(): Promise<void> {
    while (this.#holder.live) {
      this.#again = false;
      const { db } = this.#dependencies;
      const { id } = this.#holder;
      const rows = await readPending(db, id, headOfQueue);
      if (rows.length === 0) {
        // Checked synchronously: a call journaled since then has poked.
        if (this.#again) continue;
        this.#promised.clear();
        this.#waiting = false;
        return;
      }
      const backend = await readBackend(db, id);
      if (backend === undefined) return;
      const refusal = await this.#refresh(backend);
      let progressed =
        refusal === undefined ? await this.#sendFrom(rows, backend) : await this.#rejectAll(rows, refusal);
      // The oldest wait for their objects: calls on others don't.
      if (!progressed && rows.length === headOfQueue)
        progressed = await this.#sendFrom(await readHeads(db, id, headOfQueue), backend);
      if (!progressed && !this.#again) return;
    }
  }

  /** The reason against calling the backend in its current state, when its credentials can't be used. */
  async #refresh(backend: BackendRow): Promise<{ code: string; message: string } | undefined> {
    try {
      await this.#holder.refresh(backend);
      return undefined;
    } catch (error) {
      const [first] = error instanceof Refusal ? error.errors : [];
      if (first === undefined) throw error;
      return { code: first.code, message: first.message };
    }
  }

  /** True when at least one row left the queue. */
  async #sendFrom(rows: readonly WaitingRow[], backend: BackendRow): Promise<boolean> {
    const refusal = this.#refusalOf(backend);
    if (refusal !== undefined) return this.#rejectAll(rows, refusal);
    // Objects whose next call has to wait: calls on one object keep their order.
    const blocked = new Set<string>();
    const sending: Promise<boolean>[] = [];
    const progress = async () => (await Promise.all(sending)).includes(true);
    for (const row of rows) {
      if (!this.#holder.live) break;
      if (row.predatesLoss) {
        // Recovery makes it UNKNOWN; later calls on the same object wait for that.
        blocked.add(row.objectHash);
        continue;
      }
      if (row.late) {
        await this.#reject(row, { code: 'QUEUE_TIMEOUT', message: 'the call waited too long to be sent' });
        await progress();
        return true;
      }
      if (this.#holder.isBusy(row.objectHash) || blocked.has(row.objectHash)) {
        blocked.add(row.objectHash);
        continue;
      }
      if (await this.#ownerGone(row)) {
        // Recovery rejects it; later calls on the same object wait for that.
        blocked.add(row.objectHash);
        continue;
      }
      const call = this.#render(row, backend);
      if (!('wire' in call)) {
        await this.#reject(row, call);
        await progress();
        return true;
      }
      const slot = await this.#holder.reserve(transportOf(call.wire));
      if (slot === undefined || !('send' in slot)) {
        if (slot !== undefined) await this.#reject(row, { code: slot.code, message: slot.message });
        await progress();
        return true;
      }
      // Journaled in parallel: one by one, a queue would be as slow as one commit at a time.
      blocked.add(row.objectHash);
      sending.push(this.#sendRow(row, call, slot, backend).catch((error: unknown) => this.#stillWaits(row, error)));
    }
    return progress();
  }

  /** True when the process that accepted the call has died: its client is gone too. */
  async #ownerGone(row: OperationRow): Promise<boolean> {
    const { leases, owner } = this.#dependencies;
    if (row.owner === null || row.owner === owner) return false;
    return (await leases.holder(processLeaseName('relay', row.owner)))?.live !== true;
  }

  #refusalOf(backend: BackendRow): { code: string; message: string } | undefined {
    if (backend.provisioningStatus !== 'ENABLED')
      return { code: 'BACKEND_DISABLED', message: `the backend is ${backend.provisioningStatus}` };
    if (passage(backend, this.#dependencies.settings.circuitRetryMs) === 'HELD')
      return { code: 'CIRCUIT_OPEN', message: backend.circuitReason ?? 'the circuit is open' };
    return undefined;
  }

  /** Or why it can't be: one call that can't be rendered must not stop the queue. */
  #render(row: OperationRow, backend: BackendRow): AcceptedCall | { readonly code: string; readonly message: string } {
    const { driver } = this.#holder;
    const operation = driver.operations.get(row.name);
    if (operation === undefined) return { code: 'NOT_SUPPORTED', message: `the driver no longer offers ${row.name}` };
    const { opener } = this.#dependencies;
    let args: JsonObject | undefined;
    try {
      args = opener.argumentsOf(row);
      const recordedAs = opener.recordedAs(operation, row);
      const rendering = { operationId: row.id, backend: contextOf(driver, backend), recordedAs };
      const render = (given: JsonObject) => operation.render(given, rendering);
      const secrets = opener.take({ id: row.id, operation, args, render });
      return waitingCall(row, { operation, args, wire: render(args), rendering, secrets }, opener);
    } catch (error) {
      // It may quote the arguments.
      const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const fault = (args && opener.redactorOf(operation, args)?.text(said)) ?? said;
      this.#dependencies.log.error({ fault, operationId: row.id }, 'a call that waits could not be rendered');
      return {
        code: 'NOT_RENDERED',
        message: 'the relay failed to prepare the call for the device; its log has the reason',
      };
    }
  }

  /** Returns true if the row left the queue or must be read again, and false if a call of a dead process claims its object. */
  async #sendRow(row: OperationRow, rendered: AcceptedCall, slot: WiresSlot, backend: BackendRow): Promise<boolean> {
    const call = { ...rendered, address: slot.address };
    const ticket = this.#holder.take(slot, row.objectHash);
    const windowFromMs = performance.now();
    try {
      const sent = await this.#dependencies.journal.send(call, row, { lease: ticket.lease, backend });
      if (!sent) {
        this.#holder.drop(ticket);
        return true;
      }
      this.#promised.delete(row.id);
      void this.#holder.launch(
        { call, mark: { id: row.id, state: 'SENT', version: row.version + 1 }, windowFromMs },
        ticket,
      );
      return true;
    } catch (error) {
      if (error instanceof CommitUncertainError) {
        this.#holder.uncertain(call, { id: row.id, state: 'SENT', version: row.version + 1 }, ticket);
        return true;
      }
      this.#holder.drop(ticket);
      return this.#notSent(row, error);
    }
  }

  async #notSent(row: OperationRow, error: unknown): Promise<boolean> {
    if (error instanceof LeaseLostError) return false;
    if (error instanceof ObjectClaimedError) {
      if (!isUnsettled(error.state)) return false;
      await this.#reject(row, { code: 'UNSETTLED_PREDECESSOR', message: unsettledMessage(error) });
      return true;
    }
    if (error instanceof Refusal) {
      const [first] = error.errors;
      await this.#reject(row, { code: first?.code ?? 'NOT_SUPPORTED', message: first?.message ?? error.message });
      return true;
    }
    return this.#stillWaits(row, error);
  }

  #stillWaits(row: OperationRow, error: unknown): false {
    this.#dependencies.log.warn(
      { err: error, operationId: row.id },
      'a call that waits could not be journaled as sent',
    );
    return false;
  }

  async #rejectAll(rows: readonly WaitingRow[], error: { code: string; message: string }): Promise<boolean> {
    const unsent = rows.filter((row) => !row.predatesLoss);
    for (const row of unsent) await this.#reject(row, error);
    return unsent.length > 0;
  }

  async #reject(row: OperationRow, error: { code: string; message: string }): Promise<void> {
    const move = { to: 'REJECTED', by: 'owner', settledBy: 'relay', error } as const;
    const { journal, metrics, completions } = this.#dependencies;
    if (await journal.move(subjectOf(row, undefined, this.#dependencies.opener), row, move))
      metrics.ended(this.#holder.row.driver, row.name, 'REJECTED');
    this.#promised.delete(row.id);
    completions.finish(row.id, { verdict: undefined, recorded: undefined });
  }
}
