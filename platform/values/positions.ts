// Positions: numbers that another process compares, for example the generation of a document. A number is comparable within one
// history of the database only (database/history.ts), so it never travels without its history. A process that holds a position of
// another history takes the whole state.
import { z } from 'zod';

/** A type, not an interface, because it is also a value in JSON. */
export type Position = {
  /** UUID of the database's history; where the same key may be used again, `HISTORY/ID` of the thing that is numbered. */
  readonly history: string;
  /** Rises with each change. */
  readonly number: number;
};

/** The form on the wire and on disk. */
export const positionShape = z.strictObject({
  history: z.string().regex(/^[0-9a-f-]{36}(\/[0-9a-f-]{36})?$/),
  number: z.number().int().nonnegative(),
});

type Comparison = 'SAME' | 'BEHIND' | 'AHEAD' | 'OTHER_HISTORY';

/** Compares `own` with `other`. */
export function comparePositions(own: Position, other: Position): Comparison {
  if (own.history !== other.history) return 'OTHER_HISTORY';
  if (own.number === other.number) return 'SAME';
  return own.number < other.number ? 'BEHIND' : 'AHEAD';
}

/** `own`: undefined if nothing was reached yet. Nothing of another history counts as reached. */
export function hasReached(own: Position | undefined, wanted: Position): boolean {
  return own !== undefined && own.history === wanted.history && own.number >= wanted.number;
}
