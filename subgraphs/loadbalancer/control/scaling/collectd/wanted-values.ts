// Selects collectd's values that autoscaling policies use, for their load balancers' nodes. A value is identified by its host (a node's
// name or public address) and its own name. Counters become rates.
import type { Database } from '../../../../../platform/database/database.ts';
import { nodesOf } from '../../nodes/node-store.ts';
import { collectdPolicies } from '../scaling-store.ts';
import type { CollectdReading } from './packet.ts';

/** A value of a node, in percent. */
export interface NodeValue {
  /** UUID. */
  readonly nodeId: string;
  /** The name in the policy. */
  readonly value: string;
  readonly percent: number;
  readonly atMs: number;
  /** After this time it no longer describes the present. */
  readonly validMs: number;
}

interface Wanted {
  readonly nodeId: string;
  readonly value: string;
  /** Position among the values of the name. */
  readonly position: number;
}

interface Last {
  readonly atMs: number;
  readonly value: number;
}

/** A reading from a more distant time comes from a wrong clock, or is replayed. */
const mostClockMs = 300_000;
const leastValidMs = 30_000;
const mostValidMs = 3_600_000;
const mostPercent = 1_000;

export class WantedValues {
  #wanted: ReadonlyMap<string, readonly Wanted[]> = new Map();
  /** By node and value; wanted values only. */
  readonly #last = new Map<string, Last>();

  get size(): number {
    return this.#wanted.size;
  }

  /** Reads from the tables which values policies use now. */
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

  /** Values for policies from a reading. A repeated or late reading gives none. */
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

/** Undefined for a counter that is new or has restarted, and if the value is not a number. */
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
