// Cursors of the status stream. They contain the timeline, the dense sequence number, and the event's id, so that a history
// rewritten by a failover is detected and not skipped; clients get them sealed. A gateway, which can't open them, gets the
// position with each item.
import type { CursorSealer } from '../secrets/cursor-sealer.ts';

export interface Cursor {
  /** Epoch of the database's timeline (db_timeline). */
  readonly timeline: number;
  /** Dense sequence number in commit order. 0 before the first event. */
  readonly seq: number;
  /** UUID of the event at `seq`; empty when seq is 0. */
  readonly eventId: string;
}

/** The part of a cursor that a gateway gets, to order items. */
export type CursorPosition = Pick<Cursor, 'timeline' | 'seq'>;

/** Response name by which a gateway selects the cursor of an item. */
export const cursorAlias = '_gatewayCursor';

const place = 'status stream';
const pattern = /^(\d{1,9})\.(\d{1,15})\.([0-9a-f-]{36})?$/;

/** Makes the opaque text. */
export function sealCursor(sealer: CursorSealer, { timeline, seq, eventId }: Cursor): string {
  return sealer.seal(place, `${timeline}.${seq}.${eventId}`);
}

/** Reads a cursor; undefined when it is invalid. */
export function openCursor(sealer: CursorSealer, text: string): Cursor | undefined {
  const match = pattern.exec(sealer.open(place, text) ?? '');
  if (match === null) return undefined;
  return { timeline: Number(match[1]), seq: Number(match[2]), eventId: match[3] ?? '' };
}
