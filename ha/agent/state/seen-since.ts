// Start times of the present conditions. `decide.ts` compares them with its limits.

import type { Step } from '../decide.ts';
import type { View } from '../view.ts';

type Shared = NonNullable<View['shared']>;

/** A server that has run for this long has started. */
const steadyAfterMs = 10_000;

export class SeenSince {
  readonly #nowMs: () => number;
  #leaderlessSinceMs: number | undefined;
  #wish: { readonly to: string; readonly sinceMs: number } | undefined;
  #asking: View['asking'];
  /** The lead under which a server was last started. */
  #startedUnder: string | undefined;
  #upSinceMs: number | undefined;
  #failedStartAtMs: number | undefined;
  #ended: { readonly reign: string; readonly sinceMs: number } | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get leaderlessSinceMs(): number | undefined {
    return this.#leaderlessSinceMs;
  }

  /** When the current wish for a switchover was first seen. */
  get wishedSinceMs(): number | undefined {
    return this.#wish?.sinceMs;
  }

  /** The lead that ended without a successor: its reign, and how long ago this host first saw that nobody leads. */
  get leaderless(): { readonly reign: string; readonly ms: number } | undefined {
    return this.#ended && { reign: this.#ended.reign, ms: this.#nowMs() - this.#ended.sinceMs };
  }

  /** When a server was found to have ended soon after it was started under the same lead. */
  get failedStartAtMs(): number | undefined {
    return this.#failedStartAtMs;
  }

  get asking(): View['asking'] {
    return this.#asking;
  }

  /** Call it with each answer of etcd. While etcd does not answer, nothing changes. */
  saw({ leader, sync, wishes }: Pick<Shared, 'leader' | 'sync' | 'wishes'>): void {
    this.#leaderlessSinceMs = leader === undefined ? (this.#leaderlessSinceMs ?? this.#nowMs()) : undefined;
    // A new leader changes `sync` a little later than `leader`.
    if (sync?.reign !== this.#ended?.reign) this.#ended = undefined;
    if (leader === undefined && sync !== undefined) this.#ended ??= { reign: sync.reign, sinceMs: this.#nowMs() };
    const to = wishes.switchoverTo;
    if (to !== this.#wish?.to) this.#wish = to === undefined ? undefined : { to, sinceMs: this.#nowMs() };
  }

  /** Call it before each decision. */
  sawServer(server: Pick<View['server'], 'state'>, reign: View['reign']): void {
    if (server.state === 'down' && reign !== undefined && reign.id === this.#startedUnder) {
      this.#failedStartAtMs = this.#nowMs();
      this.#startedUnder = undefined;
    }
    if (server.state !== 'up') {
      this.#upSinceMs = undefined;
      return;
    }
    this.#failedStartAtMs = undefined;
    this.#upSinceMs ??= this.#nowMs();
    // Whatever ends it now, it was not its start.
    if (this.#nowMs() - this.#upSinceMs >= steadyAfterMs) this.#startedUnder = undefined;
  }

  /** Each lead is asked again. */
  decided(
    step: Step,
    { shared, nowMs, reign: lead }: Pick<View, 'shared' | 'nowMs'> & Partial<Pick<View, 'reign'>>,
  ): void {
    if (step.kind === 'start') this.#startedUnder = lead?.id;
    const reign = step.kind === 'wait' && step.asks === true ? shared?.leader?.reign : undefined;
    if (reign === this.#asking?.reign) return;
    this.#asking = reign === undefined ? undefined : { reign, sinceMs: nowMs };
  }
}
