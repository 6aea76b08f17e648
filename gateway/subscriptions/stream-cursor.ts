// Cursors as a gateway knows them: sealed texts that only a subgraph can open, with the position that it was told of each item.
import type { CursorPosition } from '../../platform/events/cursor.ts';

/** A cursor that the subgraph gave. */
export interface StreamCursor extends CursorPosition {
  readonly text: string;
}

/** Where to continue: a string is a client's own cursor, of which the position is not known. */
export type Place = StreamCursor | string;

export function textOf(place: Place): string {
  return typeof place === 'string' ? place : place.text;
}
