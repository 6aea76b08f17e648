// Where a reader continues: the position of its cursor, checked against the history as it is now.
import { CodedError } from '../errors/errors.ts';
import type { CursorSealer } from '../secrets/cursor-sealer.ts';
import { openCursor } from './cursor.ts';
import type { EventTable, Position } from './event-table.ts';

/** Throws CodedError INVALID_CURSOR, CURSOR_EXPIRED or RESYNC_REQUIRED. */
export async function resumeAt(table: EventTable, cursors: CursorSealer, text: string): Promise<Position> {
  const cursor = openCursor(cursors, text);
  if (cursor === undefined || cursor.seq > 0 !== (cursor.eventId !== ''))
    throw new CodedError(
      'INVALID_CURSOR',
      'after: this is not a cursor of the status stream; pass the `cursor` of an item, or `statusCursor`',
    );
  const { seq, eventId, timeline } = cursor;
  const bounds = await table.bounds();
  if (timeline > bounds.epoch || (timeline < bounds.epoch && (await table.lossySince(timeline)))) throw resync();
  // The event at the cursor must be kept as well: it proves the cursor.
  if (Math.max(seq, 1) < bounds.oldestSeq) throw expired();
  if (seq > 0 && (await table.eventIdAt(seq)) !== eventId) throw await displaced(table, seq);
  return { seq, eventId };
}

/** The error for a reader whose event at `seq` is missing, or another one. Retention may have removed it just now. */
export async function displaced(table: EventTable, seq: number): Promise<CodedError> {
  return seq < (await table.bounds()).oldestSeq ? expired() : resync();
}

/** Without numbers: they would reveal how many events other projects have. */
export function expired(): CodedError {
  return new CodedError(
    'CURSOR_EXPIRED',
    'the events after the cursor are no longer kept: read a snapshot and subscribe again',
  );
}

/** The error for readers when the history was rewritten. */
export function resync(): CodedError {
  return new CodedError(
    'RESYNC_REQUIRED',
    'the history was rewritten by a failover: read a snapshot and subscribe again',
  );
}
