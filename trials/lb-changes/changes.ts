// Sends changes and observes from outside until each is in effect. Work in progress must refuse none of them, and each must soon reach all nodes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { MutationOutcome } from '../../platform/edge/mutation.ts';
import type { NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import type { Timeline } from './expectations.ts';
import type { Place } from './place.ts';
import { nowMs } from './shared.ts';

/** A change that is not in effect by then counts as blocked. */
export const lateMs = 60_000;

interface InFlight {
  readonly what: string;
  readonly generation: number;
  readonly sentMs: number;
  readonly settle: readonly ((effectiveMs: number) => void)[];
}

/** A timeline and its next value, made by `to`. */
export interface Effect {
  begin(sentMs: number): (effectiveMs: number) => void;
}

export function to<Value>(timeline: Timeline<Value>, value: Value): Effect {
  return { begin: (sentMs) => timeline.change(value, sentMs) };
}

/** Called when the change is in effect. */
export function then(note: (effectiveMs: number) => void): Effect {
  return { begin: () => note };
}

export class Changes {
  done = 0;
  lockedOut = 0;
  readonly findings: string[] = [];
  readonly kinds = new Map<string, number>();
  readonly #place: Place;
  readonly #lateMs: number;
  #inFlight: InFlight[] = [];

  constructor(place: Place, late = lateMs) {
    this.#place = place;
    this.#lateMs = late;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** Undefined if it was refused. */
  async make<Row>(
    kind: string,
    send: () => Promise<MutationOutcome<Row>>,
    effects: readonly Effect[] = [],
    /** Codes of acceptable refusals, because the changed object may already be gone. */
    mayBe: readonly string[] = [],
  ): Promise<Row | undefined> {
    const sentMs = nowMs();
    const settle = effects.map((effect) => effect.begin(sentMs));
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    const thrown = (error: unknown) => ({ entity: null, userErrors: [{ code: 'THROWN', message: String(error) }] });
    const { entity, userErrors } = await send().catch(thrown);
    this.done += 1;
    if (userErrors.length > 0 || entity == null) {
      if (userErrors.every(({ code }) => mayBe.includes(code))) return undefined;
      this.lock(`${kind} was refused: ${JSON.stringify(userErrors).slice(0, 300)}`);
      return undefined;
    }
    // The generation of this change, or of a later one.
    const { generation } = await this.#status();
    this.#inFlight.push({ what: kind, generation, sentMs, settle });
    return entity;
  }

  /** Inspects once what is in effect on all nodes that may get requests. */
  async look(): Promise<void> {
    // A node that is being deleted serves clients with its cached address until it is gone, because its host may be restarting.
    const nodes = (await this.#place.nodes()).filter((node) => mayServe(node) || node.state === 'DELETING');
    const effective = Math.min(...nodes.map(({ appliedGeneration }) => appliedGeneration));
    const at = nowMs();
    const open: InFlight[] = [];
    for (const each of this.#inFlight)
      if (nodes.length > 0 && each.generation <= effective) for (const settle of each.settle) settle(at);
      else if (at - each.sentMs > this.#lateMs) {
        this.lock(`${each.what} (generation ${each.generation}) is not in effect: ${lagOf(nodes, effective)}`);
        for (const settle of each.settle) settle(at);
      } else open.push(each);
    this.#inFlight = open;
  }

  /** All changes so far, including late ones, at the end. */
  async untilEffective(): Promise<void> {
    const last = this.#inFlight.at(-1);
    while (last !== undefined && this.#inFlight.includes(last)) await sleep(20);
  }

  /** Whether all are in effect, and ACTIVE. */
  async quiet(): Promise<boolean> {
    await this.look();
    return this.#inFlight.length === 0 && (await this.#status()).provisioningStatus === 'ACTIVE';
  }

  async lockedOutNow(): Promise<void> {
    const { provisioningStatus, provisioningReason } = await this.#status();
    this.lock(`it is ${provisioningStatus}: ${provisioningReason}`);
  }

  #status() {
    return this.#place.world.balancer(this.#place.balancerId);
  }

  /** Records a state that should be right by now. */
  lock(what: string): void {
    this.lockedOut += 1;
    this.findings.push(`lockedOut: ${what}`);
  }
}

function lagOf(nodes: readonly NodeRow[], effective: number): string {
  const lagging = nodes.filter(({ appliedGeneration }) => appliedGeneration === effective);
  return lagging
    .map(({ name, state, reason }) => `${name} (${state}) has ${effective}: ${reason ?? 'no reason'}`)
    .join(', ');
}

/** Until its host reports the remaining sessions of a drained node, the node's listeners may still be open. */
export function mayServe({ state, sessions, named }: NodeRow): boolean {
  return state === 'SERVING' || (state === 'BUILDING' && named) || (state === 'DRAINING' && sessions === null);
}
