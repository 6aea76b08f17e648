// What a step does, and what it sees of a member and of a client.
import type { Client } from '../client.ts';
import type { Vector } from '../globe.ts';

export interface Candidate {
  readonly memberId: string;
  readonly region: string | null;
  readonly country: string | null;
  readonly continent: string | null;
  readonly vector: Vector | undefined;
  readonly weight: number;
  readonly priority: number;
  readonly hash: number;
  readonly latencyMs: ReadonlyMap<string, number>;
}

export interface Step {
  readonly name: string;
  /**
   * Of at least two candidates, at least one; it may be the same list, which is never changed. What it asks of the client counts in
   * the answer's scope, so it asks only where that can make a difference. `draw`: 0 ≤ x < 1.
   */
  choose<Each extends Candidate>(from: readonly Each[], client: Client, draw: () => number): readonly Each[];
  /** Why it left one out, in words: told after `choose`. */
  why(left: Candidate, client: Client): string;
}

/** True: all have the same. */
export function areAlike<Each>(from: readonly Each[], of: (each: Each) => unknown): boolean {
  const [first] = from;
  return first === undefined || from.every((each) => of(each) === of(first));
}

/** Those for which it is true; none: undefined. */
export function some<Each>(
  from: readonly Each[],
  of: (each: Each, at: number) => boolean,
): readonly Each[] | undefined {
  const kept = from.filter(of);
  return kept.length === 0 ? undefined : kept;
}
