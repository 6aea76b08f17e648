// Cursors of the status stream. Opaque to clients, they contain the timeline, the dense sequence number, and the event's id, so
// that a history rewritten by a failover is noticed and not skipped.

export interface Cursor {
  /** Epoch of the database's timeline (db_timeline). */
  readonly timeline: number;
  /** Dense sequence number in commit order; 0: before the first event. */
  readonly seq: number;
  /** UUID of the event at `seq`; empty when seq is 0. */
  readonly eventId: string;
}

const pattern = /^1\.(\d{1,9})\.(\d{1,15})\.([0-9a-f-]{36})?$/;

/** Makes the opaque text. */
export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(`1.${cursor.timeline}.${cursor.seq}.${cursor.eventId}`, 'latin1').toString('base64url');
}

/** Reads a cursor; undefined when it is invalid. */
export function decodeCursor(text: string): Cursor | undefined {
  if (text.length > 128) return undefined;
  const match = pattern.exec(Buffer.from(text, 'base64url').toString('latin1'));
  if (match === null) return undefined;
  return { timeline: Number(match[1]), seq: Number(match[2]), eventId: match[3] ?? '' };
}
