// One page of past events, for readers that poll. Unlike a subscription it always gets on: if few events match, it ends further
// along the stream.
import { sealCursor } from './cursor.ts';
import type { SequencedEvent } from './event-table.ts';
import { conditionOf, type HistoryFilter } from './filter.ts';
import { displaced, resumeAt } from './resume.ts';
import type { SubscriptionSource } from './subscription.ts';

export interface EventPageRequest {
  readonly after: string;
  readonly filter: HistoryFilter;
  /** Most events. */
  readonly limit: number;
  /** After this time the search ends with the events found so far, but not before it has made progress. */
  readonly patienceMs: number;
}

export interface EventPage {
  readonly events: readonly SequencedEvent[];
  /** After the last event that was looked at. */
  readonly cursor: string;
  /** Nothing more was there. */
  readonly upToDate: boolean;
}

/** Throws CodedError INVALID_CURSOR, CURSOR_EXPIRED or RESYNC_REQUIRED. */
export async function readEventPage(
  { table, cursors, pages, tail, epoch }: SubscriptionSource,
  { after, filter, limit, patienceMs }: EventPageRequest,
): Promise<EventPage> {
  const untilMs = performance.now() + patienceMs;
  const condition = conditionOf(filter);
  const events: SequencedEvent[] = [];
  let place = await resumeAt(table, cursors, after);
  while (place.seq < tail().seq) {
    const from = place;
    const most = limit - events.length;
    if (condition === undefined) place = tail();
    else {
      const page = await pages.run(() => table.matching(from, tail(), condition, most));
      if (page.kind === 'displaced') throw await displaced(table, from.seq);
      events.push(...page.events);
      place = page.end;
    }
    if (events.length >= limit || performance.now() >= untilMs) break;
  }
  const cursor = sealCursor(cursors, { timeline: epoch(), ...place });
  return { events, cursor, upToDate: place.seq >= tail().seq };
}
