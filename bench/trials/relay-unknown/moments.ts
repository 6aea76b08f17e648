// The moments of a relayed call at which its process is killed or stopped, and what does it there: wrappers around the database
// and the transports of a relay that is made to fail.
import { Database, type SqlValue, type Transaction } from '../../../platform/database/database.ts';
import { wireText } from '../../../subgraphs/relay/model/operation.ts';
import type { Slot, TransportFactory } from '../../../subgraphs/relay/transports/session.ts';

/**
 * `pending`: the COMMIT that made it PENDING was acknowledged. `sent`: the same for SENT, and its first byte would leave now.
 * `first-byte`: its bytes were given to the kernel, `afterMs` ago. `reply`: the device's reply was read, and nothing was made
 * of it yet. `recorded`: its outcome is in the journal, and nobody was told.
 */
export const moments = ['pending', 'sent', 'first-byte', 'reply', 'recorded'] as const;
export type Moment = (typeof moments)[number];

/** Which call, when in it, and what happens then: the process dies, or stops until it is told to go on. */
export interface FailurePlan {
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  readonly moment: Moment;
  /** Only in what goes over the wire for this call. */
  readonly wireMark: string;
  /** Only in the arguments of this call. */
  readonly argumentMark: string;
  /** For `first-byte`. */
  readonly afterMs: number;
}

export class PlannedFailure {
  plan: FailurePlan | undefined;

  /** Fails when that is the plan; `text` is what the plan's mark is looked for in. */
  at(moment: Moment, text: string): void {
    const plan = this.#take(moment, text);
    if (plan !== undefined) fail(plan.signal);
  }

  /** Fails a while after this when that is the plan. */
  soonAfter(moment: Moment, text: string): void {
    const plan = this.#take(moment, text);
    if (plan !== undefined) setTimeout(() => fail(plan.signal), plan.afterMs);
  }

  /** It happens once. */
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

/** Longer than a signal to all threads of a process takes to arrive. */
const arrivalMs = 50;

/** Synchronous: nothing else of the process runs before the signal has hit it. */
function fail(signal: FailurePlan['signal']): void {
  process.kill(process.pid, signal);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, arrivalMs);
}

/** Fails when the COMMIT of a transaction that made the planned call PENDING has been acknowledged. */
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
    };
  }
}

/** Fails in the planned call's sending. */
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
          // Whoever sends writes its bytes right after this, before anything else can run.
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
