// Which of collectd's values are kept: those that policies of autoscaling ask for, of their load balancers' nodes. Known by the host that
// a value names (a node's name or public address) and the value's own name. Counters become rates.
import type { Database } from '../../../../platform/database/database.ts';
import { nodesOf } from '../../stores/node-store.ts';
import { collectdPolicies } from '../../stores/scaling-store.ts';
import type { CollectdReading } from './packet.ts';

/** A value of a node, in percent. */
export interface NodeValue {
  /** UUID. */
  readonly nodeId: string;
  /** As the policy names it. */
  readonly value: string;
  readonly percent: number;
  readonly atMs: number;
  /** After so long it says nothing of now. */
  readonly validMs: number;
}

interface Wanted {
  readonly nodeId: string;
  readonly value: string;
  /** Of the values that the name has. */
  readonly position: number;
}

interface Last {
  readonly atMs: number;
  readonly value: number;
}

/** A reading of another time is from a wrong clock, or sent again by someone. */
const mostClockMs = 300_000;
const leastValidMs = 30_000;
const mostValidMs = 3_600_000;
const mostPercent = 1_000;

export class WantedValues {
  #wanted: ReadonlyMap<string, readonly Wanted[]> = new Map();
  /** By node and value; only of wanted ones. */
  readonly #last = new Map<string, Last>();

  get size(): number {
    return this.#wanted.size;
  }

  /** Reads from the tables what policies ask for now. */
  async refresh(db: Database): Promise<void> {
    const policies = new Map((await collectdPolicies(db)).map(({ loadBalancerId, value }) => [loadBalancerId, value]));
    const nodes = await nodesOf(db, [...policies.keys()]);
    const wanted = new Map<string, Wanted[]>();
    const known = new Set<string>();
    for (const [balancerId, value] of policies)
      for (const { id, name, address } of nodes.get(balancerId) ?? []) {
        const [, valueName = value, position = '0'] = /^([^/]+\/[^/]+)\/(\d+)$/.exec(value) ?? [];
        const entry = { nodeId: id, value, position: Number(position) };
        known.add(lastKey(entry));
        for (const host of [name, address])
          if (host !== null) {
            const key = wantedKey(host, valueName);
            wanted.set(key, [...(wanted.get(key) ?? []), entry]);
          }
      }
    this.#wanted = wanted;
    for (const key of this.#last.keys()) if (!known.has(key)) this.#last.delete(key);
  }

  /** What the policies get of a reading. A reading that comes again, or late, gives nothing. */
  take(reading: CollectdReading, nowMs: number): NodeValue[] {
    const { atMs, intervalMs, values } = reading;
    if (!(Math.abs(nowMs - atMs) <= mostClockMs)) return [];
    const validMs = Math.min(Math.max(3 * intervalMs, leastValidMs), mostValidMs);
    return (this.#wanted.get(wantedKey(reading.host, reading.name)) ?? []).flatMap((entry) => {
      const { nodeId, value, position } = entry;
      const given = values[position];
      const before = this.#last.get(lastKey(entry));
      if (given === undefined || (before !== undefined && before.atMs >= atMs)) return [];
      this.#last.set(lastKey(entry), { atMs, value: given.value });
      const percent = percentOf(given, before, atMs);
      if (percent === undefined) return [];
      return [{ nodeId, value, percent: Math.min(percent, mostPercent), atMs, validMs }];
    });
  }
}

/** Undefined: a counter that was seen for the first time, or began anew; or no number. */
function percentOf(
  { type, value }: CollectdReading['values'][number],
  before: Last | undefined,
  atMs: number,
): number | undefined {
  if (type === 'GAUGE') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (before === undefined) return undefined;
  const seconds = (atMs - before.atMs) / 1_000;
  const rate = (type === 'ABSOLUTE' ? value : value - before.value) / seconds;
  return rate >= 0 ? rate : undefined;
}

function wantedKey(host: string, name: string): string {
  return `${host.toLowerCase()}\n${name}`;
}

function lastKey({ nodeId, value }: Pick<Wanted, 'nodeId' | 'value'>): string {
  return `${nodeId}\n${value}`;
}
