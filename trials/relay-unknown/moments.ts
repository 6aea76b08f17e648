// The moments of a relayed call at which its process is killed or stopped, and the wrappers around a relay's database and
// transports that do it.
import { Database, type SqlValue, type Transaction } from '../../platform/database/database.ts';
import { wireText } from '../../subgraphs/relay/control/model/operation.ts';
import type { Slot, TransportFactory } from '../../subgraphs/relay/transports/session.ts';

/**
 * `pending`: the COMMIT that made it PENDING was acknowledged. `sent`: the same for SENT, right before its first byte. `first-byte`: its
 * bytes were passed to the kernel, `afterMs` ago. `reply`: the device's reply was read, but not processed. `recorded`: its outcome is in
 * the journal, but nobody was notified.
 */
export const moments = ['pending', 'sent', 'first-byte', 'reply', 'recorded'] as const;
export type Moment = (typeof moments)[number];

/** The call, the moment, and the failure: the process is killed, or stopped until it is continued. */
export interface FailurePlan {
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  readonly moment: Moment;
  /** Text only in this call on the wire. */
  readonly wireMark: string;
  /** Text only in this call's arguments. */
  readonly argumentMark: string;
  /** For `first-byte`. */
  readonly afterMs: number;
}

export class PlannedFailure {
  plan: FailurePlan | undefined;

  /** Fails if that is planned. `text` is searched for the plan's mark. */
  at(moment: Moment, text: string): void {
    const plan = this.#take(moment, text);
    if (plan !== undefined) fail(plan.signal);
  }

  /** Fails a while later if that is planned. */
  soonAfter(moment: Moment, text: string): void {
    const plan = this.#take(moment, text);
    if (plan !== undefined) setTimeout(() => fail(plan.signal), plan.afterMs);
  }

  /** Fails only once. */
  #take(moment: Moment, text: string): FailurePlan | undefined {
    const { plan } = this;
    if (plan?.moment !== moment || !text.includes(markOf(plan))) return undefined;
    this.plan = undefined;
    return plan;
  }
}

function markOf({ moment, wireMark, argumentMark }: FailurePlan): string {
  return moment === 'pending' || moment === 'recorded' ? argumentMark : wireMark;
}

/** Longer than a signal takes to reach all threads of a process. */
const arrivalMs = 50;

/** Synchronous: nothing else in the process runs before the signal has arrived. */
function fail(signal: FailurePlan['signal']): void {
  process.kill(process.pid, signal);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, arrivalMs);
}

/** Fails when the COMMIT of a transaction that made the planned call PENDING was acknowledged. */
export class FailingDatabase extends Database {
  readonly #failure: PlannedFailure;

  constructor(options: ConstructorParameters<typeof Database>[0], failure: PlannedFailure) {
    super(options);
    this.#failure = failure;
  }

  override transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options?: { readonly endsWork?: boolean },
  ): Promise<Result> {
    return super.transaction((tx) => work(this.#watched(tx)), options);
  }

  #watched(tx: Transaction): Transaction {
    const note = (sql: string, values: readonly SqlValue[] = []): void => {
      if (!sql.includes('INSERT INTO operation (') || !values.includes('PENDING')) return;
      const text = values.filter((value) => typeof value === 'string').join('\n');
      tx.afterCommit(() => this.#failure.at('pending', text));
    };
    return {
      query: (sql, values, options) => {
        note(sql, values);
        return tx.query(sql, values, options);
      },
      execute: (sql, values) => {
        note(sql, values);
        return tx.execute(sql, values);
      },
      afterCommit: (action) => tx.afterCommit(action),
      provenBy: (recordId) => tx.provenBy(recordId),
    };
  }
}

/** Fails while the planned call is sent. */
export function failingTransports(real: TransportFactory, failure: PlannedFailure): TransportFactory {
  const slotOf = (slot: Slot): Slot => ({
    release: () => slot.release(),
    async send(call, options) {
      const text = wireText(call);
      const sending = slot.send(call, {
        ...options,
        beforeFirstByte: () => {
          failure.at('sent', text);
          const allowed = options.beforeFirstByte?.() ?? true;
          // The sender writes its bytes right after this, before anything else can run.
          if (allowed) failure.soonAfter('first-byte', text);
          return allowed;
        },
      });
      const result = await sending;
      failure.at('reply', text);
      return result;
    },
  });
  return (kind, endpoint, options) => {
    const transport = real(kind, endpoint, options);
    return {
      state: () => transport.state(),
      send: (call, sendOptions) => transport.send(call, sendOptions),
      close: () => transport.close(),
      tryReserve() {
        const slot = transport.tryReserve();
        return slot && slotOf(slot);
      },
      async reserve(reserveOptions) {
        const reservation = await transport.reserve(reserveOptions);
        return reservation.ok ? { ok: true, slot: slotOf(reservation.slot) } : reservation;
      },
    };
  };
}
