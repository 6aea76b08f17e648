// The interface of a policy's step, and its view of members and clients.
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
   * Gets at least two candidates and returns at least one. It may return the same list, and never changes it. Each property of
   * the client that it reads counts in the scope of the answer, so it reads one only if that can make a difference. `draw`: 0 ≤ x
   * < 1.
   */
  choose<Each extends Candidate>(from: readonly Each[], client: Client, draw: () => number): readonly Each[];
  /** Explains why the step left out a member. Called after `choose`. */
  why(left: Candidate, client: Client): string;
}

/** True if all have the same value. */
export function areAlike<Each>(from: readonly Each[], of: (each: Each) => unknown): boolean {
  const [first] = from;
  return first === undefined || from.every((each) => of(each) === of(first));
}

/** The items for which it is true. Undefined if there are none. */
export function some<Each>(
  from: readonly Each[],
  of: (each: Each, at: number) => boolean,
): readonly Each[] | undefined {
  const kept = from.filter(of);
  return kept.length === 0 ? undefined : kept;
}
