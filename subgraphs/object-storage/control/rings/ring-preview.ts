// Previews a change of a ring: computes the steps from the current ring to the wanted one without starting them.
import type { Sql } from '../../../../platform/database/database.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import { nextRing, type RingWish } from '../../../../platform/rings/next-ring.ts';
import { countsOf, gainsIn, partitionCount, type Ring } from '../../../../platform/rings/ring.ts';
import { liveClusters } from '../stores/cluster-store.ts';
import { presentRings, type RingRow } from '../stores/ring-store.ts';
import { ringWish, wantedRings } from './wanted-rings.ts';

export interface RingShareRow {
  readonly number: number;
  readonly partitionsNow: number;
  readonly partitionsThen: number;
}

export interface RingPreview {
  readonly ring: RingRow;
  readonly steps: number;
  readonly movedShare: number;
  readonly shares: readonly RingShareRow[];
}

/** More than a change can need: each step moves as much of every partition as it may. */
const mostSteps = 64;

/** Undefined if there is no ring with that number. */
export async function previewRing(sql: Sql, number: number): Promise<RingPreview | undefined> {
  const ring = (await presentRings(sql, [number])).get(number);
  const wanted = (await wantedRings(sql)).find((each) => each.number === number);
  if (ring === undefined || wanted === undefined) return undefined;
  return { ring, ...stepsTo(ring, ringWish(await liveClusters(sql), wanted)) };
}

export function stepsTo(ring: Ring, wish: RingWish): Omit<RingPreview, 'ring'> {
  let last = ring;
  let steps = 0;
  let moved = 0;
  // Without members there is no target.
  while (wish.members.length > 0) {
    const next = nextRing(last, wish);
    if (next === undefined) break;
    invariant(steps < mostSteps, `a ring does not match the wanted one after ${mostSteps} steps`);
    for (const gained of gainsIn(last, next).values()) moved += gained;
    steps += 1;
    last = next;
  }
  const [now, then] = [countsOf(ring), countsOf(last)];
  const numbers = [...new Set([...now.keys(), ...then.keys(), ...wish.members.map(({ cluster }) => cluster)])];
  return {
    steps,
    movedShare: moved / (partitionCount * last.replicas),
    shares: numbers
      .toSorted((one, other) => one - other)
      .map((number) => ({ number, partitionsNow: now.get(number) ?? 0, partitionsThen: then.get(number) ?? 0 })),
  };
}
