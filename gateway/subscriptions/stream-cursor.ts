// Cursors in a gateway: sealed texts that only a subgraph can open, with the position that the subgraph sent with each item.
import type { CursorPosition } from '../../platform/events/cursor.ts';

/** A cursor from the subgraph. */
export interface StreamCursor extends CursorPosition {
  readonly text: string;
}

/** The place to continue from. A string is a client's own cursor, with an unknown position. */
export type Place = StreamCursor | string;

export function textOf(place: Place): string {
  return typeof place === 'string' ? place : place.text;
}
