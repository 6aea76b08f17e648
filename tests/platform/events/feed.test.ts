// The status feed: no event is missing, none is repeated, and there is never a silent gap.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Database, type QueryOptions, type SqlValue } from '../../../platform/database/database.ts';
import type { CodedError } from '../../../platform/errors/errors.ts';
import { type Cursor, openCursor, sealCursor } from '../../../platform/events/cursor.ts';
import { type FeedItem, type SequencedEvent, StatusFeed } from '../../../platform/events/feed.ts';
import type { HistoryFilter } from '../../../platform/events/filter.ts';
import { platformRetention, runRetention } from '../../../platform/owed/retention.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { testPair } from '../../support/product/signing-keys.ts';
import { TestContext } from '../../support/product/test-context.ts';

const everything = () => true;
const ground = forFile(() => TestContext.open());
let db: Database;
let feed: StatusFeed;

beforeAll(async () => {
  ({ db } = ground);
});

beforeEach(async () => {
  await db.execute('DELETE FROM status_change');
  await db.execute('UPDATE status_sequencer SET next_seq = 1, oldest_seq = 1');
  await db.execute('DELETE FROM db_timeline WHERE epoch > 1');
  feed = await startFeed();
});

afterEach(async () => {
  await feed.stop();
});

async function startFeed(options: { ringSize?: number; checkpointMs?: number } = {}): Promise<StatusFeed> {
  const started = new StatusFeed({ ...ground, pollMs: 20, ...options });
  await started.start();
  return started;
}

/** Writes events n1, n2, … of kind `even` or `odd`. */
async function write(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  await ground.append(...numbers.map((number) => ({ kind: number % 2 === 0 ? 'even' : 'odd', to: `n${number}` })));
  await ground.sequence();
}

type Taken = SequencedEvent & { readonly cursor: string };

async function take(items: AsyncGenerator<FeedItem, void, void>, count: number): Promise<Taken[]> {
  const events: Taken[] = [];
  while (events.length < count) {
    const { value, done } = await items.next();
    if (done === true) break;
    if (value.event !== null) events.push({ ...value.event, cursor: value.cursor });
  }
  return events;
}

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `n${from + index}`);
}

const toNames = (events: readonly SequencedEvent[]) => events.map((event) => event.to);

async function cursorOfFirst(): Promise<string> {
  const row = await db.query<SequencedEvent>('SELECT id FROM status_change WHERE seq = 1');
  return sealCursor(ground.cursors, { timeline: 1, seq: 1, eventId: row[0]?.id ?? '' });
}

async function codeOf(after: string): Promise<string> {
  const error = await feed
    .subscribe({ after, filter: everything })
    .next()
    .then(
      () => undefined,
      (reason: CodedError) => reason,
    );
  return error?.code ?? 'none';
}

test('the age of the unread events of a reader', async () => {
  const reader = feed.subscribe({ filter: everything });
  await reader.next();
  expect(feed.figures().unreadMs).toBe(0);
  await write(1, 2);
  await waitFor('an event that waits', () => feed.figures().unreadMs > 30);
  expect(toNames(await take(reader, 1))).toEqual(['n1']);
  expect(feed.figures().unreadMs).toBeGreaterThan(0);
  const behind = feed.subscribe({ after: await cursorOfFirst(), filter: everything });
  expect(toNames(await take(reader, 1))).toEqual(['n2']);
  // A reader that is still catching up is not a slow reader.
  expect(feed.figures().unreadMs).toBe(0);
  await behind.return();
});

describe('subscribe', () => {
  test('without a cursor there is an immediate checkpoint, then new events, but no earlier ones', async () => {
    await write(1, 3);
    await waitFor('the feed', () => feed.figures().seq === 3);
    const items = feed.subscribe({ filter: everything });
    const first = await items.next();
    expect(first.value).toMatchObject({ event: null });
    await write(4, 5);
    expect(toNames(await take(items, 2))).toEqual(names(4, 5));
    // The checkpoint's cursor resumes at the same place.
    const again = feed.subscribe({ after: (first.value as FeedItem).cursor, filter: everything });
    expect(toNames(await take(again, 2))).toEqual(names(4, 5));
  });

  test('every cursor resumes right after its event, from memory and from the table, here and in another process', async () => {
    await write(1, 1200);
    const all = await take(feed.subscribe({ after: startCursor(), filter: everything }), 1200);
    expect(toNames(all)).toEqual(names(1, 1200));
    const small = await startFeed({ ringSize: 16 });
    try {
      for (const at of [1, 2, 499, 500, 501, 1183, 1184, 1199]) {
        const cursor = all[at - 1]?.cursor ?? '';
        for (const each of [feed, small])
          expect(toNames(await take(each.subscribe({ after: cursor, filter: everything }), 1200 - at))).toEqual(
            names(at + 1, 1200),
          );
      }
    } finally {
      await small.stop();
    }
  });

  test('a slow reader switches from memory to the table and back', async () => {
    const small = await startFeed({ ringSize: 8 });
    const items = small.subscribe({ filter: everything });
    await items.next();
    let next = 1;
    for (const burst of [3, 40, 1, 900, 7, 2]) {
      await write(next, next + burst - 1);
      await waitFor('the feed', () => small.figures().seq === next + burst - 1);
      expect(toNames(await take(items, burst))).toEqual(names(next, next + burst - 1));
      next += burst;
    }
    await small.stop();
  });

  test('a filter gives matching events in order, and an error in it ends only that reader', async () => {
    const even = feed.subscribe({ filter: (event) => event.kind === 'even' });
    const broken = feed.subscribe({
      filter: () => {
        throw new Error('bad filter');
      },
    });
    await even.next();
    await broken.next();
    const failing = expect(broken.next()).rejects.toThrow('bad filter');
    await write(1, 10);
    await failing;
    expect(await broken.next()).toEqual({ done: true, value: undefined });
    expect(toNames(await take(even, 5))).toEqual(['n2', 'n4', 'n6', 'n8', 'n10']);
  });

  test('a reader without matches gets advancing checkpoints', async () => {
    const quick = await startFeed({ checkpointMs: 40 });
    const items = quick.subscribe({ filter: (event) => event.to === 'never' });
    const first = (await items.next()).value as FeedItem;
    await write(1, 50);
    const seen = await waitFor('a checkpoint past the events', async () => {
      const item = (await items.next()).value as FeedItem;
      expect(item.event).toBeNull();
      return cursorIn(item.cursor)?.seq === 50 && item;
    });
    expect(cursorIn(first.cursor)?.seq).toBe(0);
    const resumed = feed.subscribe({ after: seen.cursor, filter: everything });
    await write(51, 52);
    expect(toNames(await take(resumed, 2))).toEqual(names(51, 52));
    await quick.stop();
  });

  test('return, abort and stopping the feed end a waiting pull at once', async () => {
    const ended = { done: true, value: undefined };
    const controller = new AbortController();
    const [one, two, three] = [undefined, controller.signal, undefined].map((signal) =>
      feed.subscribe({ after: startCursor(), filter: everything, ...(signal === undefined ? {} : { signal }) }),
    );
    for (const each of [one, two, three]) expect((await each?.next())?.value).toMatchObject({ event: null });
    const pulls = [one, two, three].map((each) => each?.next());
    await waitFor('three readers', () => feed.figures().subscriptions === 3);
    await one?.return(undefined);
    expect(await pulls[0]).toEqual(ended);
    controller.abort();
    expect(await pulls[1]).toEqual(ended);
    await feed.stop();
    expect(await pulls[2]).toEqual(ended);
    expect(feed.figures().subscriptions).toBe(0);
  });

  test('a reader that has caught up is notified once, with a cursor at the tail', async () => {
    await write(1, 3);
    await waitFor('the feed has read them', () => feed.figures().seq === 3);
    const items = feed.subscribe({ after: startCursor(), filter: (event) => event.to === 'n2' });
    expect(((await items.next()).value as FeedItem).event?.to).toBe('n2');
    const caughtUp = (await items.next()).value as FeedItem;
    expect([caughtUp.event, cursorIn(caughtUp.cursor)?.seq]).toEqual([null, 3]);
    const next = items.next();
    await write(2, 2);
    expect(((await next).value as FeedItem).event?.to).toBe('n2');
  });

  test('concurrent pulls are answered in order', async () => {
    const items = feed.subscribe({ after: startCursor(), filter: everything });
    await items.next();
    const pulls = [1, 2, 3].map(() => items.next());
    await write(1, 3);
    const values = (await Promise.all(pulls)).map((result) => (result.value as FeedItem).event?.to);
    expect(values).toEqual(names(1, 3));
  });
});

describe('a reader that is behind', () => {
  const projectId = newUuid();
  const subjectId = newUuid();
  const tenant = { namespace: 'default', type: 'tenant', externalId: '42' };

  beforeEach(async () => {
    const wishes = Array.from({ length: 3_000 }, (_, index) => ({
      to: `n${index + 1}`,
      kind: index % 100 === 0 ? 'rare' : 'usual',
      projectId: index % 50 === 0 ? projectId : null,
      ...(index % 300 === 0 ? { subjectId } : {}),
      ...(index % 150 === 0 ? { cmpObject: tenant } : {}),
    }));
    for (let from = 0; from < 3_000; from += 500) await ground.append(...wishes.slice(from, from + 500));
    await ground.sequence();
  });

  /** A feed with almost no past events in memory, and the number of events that it reads. */
  async function counted() {
    let events = 0;
    const counting = {
      query: async (sql: string, values?: SqlValue[]) => {
        const rows = await db.query<{ to?: string }>(sql, values);
        events += rows.filter((row) => row.to !== undefined).length;
        return rows;
      },
    } as unknown as Database;
    const small = new StatusFeed({ ...ground, db: counting, ringSize: 10, pollMs: 20 });
    await small.start();
    await waitFor('the feed', () => small.figures().seq === 3_000);
    events = 0;
    return { small, read: () => events };
  }

  const every = (step: number) => Array.from({ length: 3_000 / step }, (_, index) => `n${index * step + 1}`);

  test.each<[string, HistoryFilter, readonly string[]]>([
    ['project', { projects: [projectId] }, every(50)],
    ['several projects', { projects: [newUuid(), projectId, newUuid()] }, every(50)],
    ['project and kind', { projects: [projectId], kinds: ['rare'] }, every(100)],
    ['kind', { projects: 'all', kinds: ['rare'] }, every(100)],
    ['subject', { projects: 'all', subject: { type: 'T', id: subjectId } }, every(300)],
    ['CMP object', { projects: 'all', cmpObject: tenant }, every(150)],
    ['CMP object of a project', { projects: [projectId], cmpObject: tenant }, every(150)],
    ['CMP object of another namespace', { projects: 'all', cmpObject: { ...tenant, namespace: 'other' } }, []],
    ['nothing', { projects: [] }, []],
  ])('reads only matching events: %s', async (_name, filter, wanted) => {
    const { small, read } = await counted();
    const items = small.subscribe({ after: startCursor(), filter });
    expect(toNames(await take(items, wanted.length))).toEqual(wanted);
    const caughtUp = (await items.next()).value as FeedItem;
    expect([caughtUp.event, cursorIn(caughtUp.cursor)?.seq]).toEqual([null, 3_000]);
    expect(read()).toBeLessThanOrEqual(wanted.length + 10);
    const next = items.next();
    await ground.append({ to: 'after', projectId, kind: 'rare', subjectType: 'T', subjectId, cmpObject: tenant });
    await ground.sequence();
    if (wanted.length > 0) expect(((await next).value as FeedItem).event?.to).toBe('after');
    await small.stop();
  });

  test('gets its events over several pages, and resumes in the middle', async () => {
    const { small } = await counted();
    const filter: HistoryFilter = { projects: 'all', kinds: ['usual'] };
    const first = await take(small.subscribe({ after: startCursor(), filter }), 1_200);
    const rest = await take(small.subscribe({ after: first.at(-1)?.cursor ?? '', filter }), 1_770);
    const wanted = names(1, 3_000).filter((_, index) => index % 100 !== 0);
    expect(toNames([...first, ...rest])).toEqual(wanted);
    await small.stop();
  });

  test('gets CURSOR_EXPIRED when retention overtakes it', async () => {
    const { small } = await counted();
    const items = small.subscribe({ after: startCursor(), filter: { projects: 'all', kinds: ['usual'] } });
    await take(items, 10);
    await db.execute('DELETE FROM status_change WHERE seq < 2000');
    await db.execute('UPDATE status_sequencer SET oldest_seq = 2000');
    await expect(take(items, 2_900)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await small.stop();
  });
});

describe('an unsuitable cursor', () => {
  test('text that is not a cursor is INVALID_CURSOR', async () => {
    for (const text of ['', 'x', 'AAAA', cursorOf({ timeline: 1, seq: 5, eventId: '' })])
      expect([text, await codeOf(text)]).toEqual([text, 'INVALID_CURSOR']);
  });

  test('after retention it is CURSOR_EXPIRED, also for a reader that retention overtakes', async () => {
    const small = await startFeed({ ringSize: 4 });
    await write(1, 600);
    await waitFor('the feed', () => small.figures().seq === 600);
    const all = await take(feed.subscribe({ after: startCursor(), filter: everything }), 600);
    const overtaken = small.subscribe({ after: all[2]?.cursor ?? '', filter: everything });
    expect(toNames(await take(overtaken, 1))).toEqual(['n4']);
    await db.execute('UPDATE status_change SET at = at - INTERVAL 40 DAY WHERE seq <= 550');
    const days = 30 * 86_400_000;
    const steps = platformRetention({ ...ground, eventMs: days, auditMs: days, auditKeys: testPair('audit') });
    expect(await runRetention(steps)).toMatchObject({ events: { rows: 550 } });
    for (const seq of [0, 3, 550]) {
      const cursor = seq === 0 ? startCursor() : (all[seq - 1]?.cursor ?? '');
      expect([seq, await codeOf(cursor)]).toEqual([seq, 'CURSOR_EXPIRED']);
    }
    // The rest of the reader's last page arrives first, and then the error, so there is no gap.
    expect(toNames(await take(overtaken, 499))).toEqual(names(5, 503));
    await expect(overtaken.next()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    const kept = feed.subscribe({ after: all[550]?.cursor ?? '', filter: everything });
    expect(toNames(await take(kept, 49))).toEqual(names(552, 600));
    await small.stop();
  });

  test('of another event at the same position, or beyond the end, is RESYNC_REQUIRED', async () => {
    await write(1, 3);
    expect(await codeOf(cursorOf({ timeline: 1, seq: 2, eventId: newUuid() }))).toBe('RESYNC_REQUIRED');
    expect(await codeOf(cursorOf({ timeline: 1, seq: 9, eventId: newUuid() }))).toBe('RESYNC_REQUIRED');
    expect(await codeOf(cursorOf({ timeline: 7, seq: 0, eventId: '' }))).toBe('RESYNC_REQUIRED');
  });

  test('of a timeline before a loss is RESYNC_REQUIRED, and after a clean failover it continues', async () => {
    await write(1, 3);
    const [first] = await take(feed.subscribe({ after: startCursor(), filter: everything }), 1);
    await db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 0)');
    expect(toNames(await take(feed.subscribe({ after: first?.cursor ?? '', filter: everything }), 2))).toEqual(
      names(2, 3),
    );
    await db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (3, 1)');
    expect(await codeOf(first?.cursor ?? '')).toBe('RESYNC_REQUIRED');
  });
});

describe('retention between two reads of the history', () => {
  /** Runs the given work right before it reads the event at a position. */
  class InterruptedDatabase extends Database {
    before: (() => Promise<unknown>) | undefined;

    override async query<Row>(sql: string, values?: readonly SqlValue[], options?: QueryOptions): Promise<Row[]> {
      const { before } = this;
      if (before !== undefined && sql.startsWith('SELECT (SELECT event_id FROM status_change WHERE seq =')) {
        this.before = undefined;
        await before();
      }
      return super.query<Row>(sql, values, options);
    }
  }
  const removeUpTo = (seq: number) => async () => {
    await db.execute('DELETE FROM status_change WHERE seq <= ?', [seq]);
    await db.execute('UPDATE status_sequencer SET oldest_seq = ?', [seq + 1]);
  };
  let interrupted: InterruptedDatabase;
  beforeEach(async () => {
    interrupted = new InterruptedDatabase({ connection: ground.place.connection });
    await write(1, 1_200);
  });
  afterEach(() => interrupted.close());

  test('is CURSOR_EXPIRED for a reader that resumes, because nothing was rewritten', async () => {
    const [first] = await take(feed.subscribe({ after: startCursor(), filter: everything }), 1);
    const here = new StatusFeed({ ...ground, db: interrupted, pollMs: 20 });
    await here.start();
    interrupted.before = removeUpTo(600);
    const items = here.subscribe({ after: first?.cursor ?? '', filter: everything });
    await expect(items.next()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await here.stop();
  });

  test('does not keep a feed from starting', async () => {
    interrupted.before = removeUpTo(600);
    const here = new StatusFeed({ ...ground, db: interrupted, pollMs: 20 });
    await here.start();
    expect(here.figures().seq).toBe(1_200);
    await here.stop();
  });
});

describe('a page of past events', () => {
  const odd: HistoryFilter = { projects: 'all', kinds: ['odd'] };
  const pageAfter = (after: string, limit: number, filter = odd) => feed.page({ after, filter, limit, patienceMs: 0 });

  test('has matching events in order, and says when there are no more', async () => {
    await write(1, 9);
    await waitFor('the feed', () => feed.figures().seq === 9);
    const first = await pageAfter(startCursor(), 3);
    expect([toNames(first.events), first.upToDate]).toEqual([['n1', 'n3', 'n5'], false]);
    const second = await pageAfter(first.cursor, 3);
    expect([toNames(second.events), second.upToDate]).toEqual([['n7', 'n9'], true]);
    expect(await pageAfter(second.cursor, 3)).toMatchObject({ events: [], upToDate: true });
    // Nothing matches, and all events were examined.
    expect(await pageAfter(startCursor(), 3, { projects: [] })).toMatchObject({ events: [], upToDate: true });
    await write(10, 11);
    await waitFor('the feed', () => feed.figures().seq === 11);
    expect(toNames((await pageAfter(second.cursor, 3)).events)).toEqual(['n11']);
  });

  test('is refused like a subscription', async () => {
    await write(1, 3);
    await expect(pageAfter('x', 3)).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    const other = cursorOf({ timeline: 1, seq: 2, eventId: newUuid() });
    await expect(pageAfter(other, 3)).rejects.toMatchObject({ code: 'RESYNC_REQUIRED' });
  });
});

describe('history rewritten under the feed', () => {
  test('ends its readers with RESYNC_REQUIRED, and the feed continues with the new history', async () => {
    await write(1, 5);
    await waitFor('the feed', () => feed.figures().seq === 5);
    const items = feed.subscribe({ filter: everything });
    await items.next();
    const pull = items.next();
    // A standby with only the first three events was promoted, and other events got the later numbers.
    await db.transaction(async (tx) => {
      await tx.execute('DELETE FROM status_change WHERE seq > 3');
      await tx.execute('UPDATE status_sequencer SET next_seq = 4');
    });
    await write(4, 9);
    await expect(pull).rejects.toMatchObject({ code: 'RESYNC_REQUIRED' });
    await waitFor('the feed', () => feed.figures().seq === 9);
    const fresh = feed.subscribe({ after: await feed.currentCursor(), filter: everything });
    await write(10, 10);
    expect(toNames(await take(fresh, 1))).toEqual(['n10']);
  });

  test('even when a lossy timeline begins with the same events', async () => {
    await write(1, 2);
    await waitFor('the feed', () => feed.figures().seq === 2);
    const items = feed.subscribe({ filter: everything });
    await items.next();
    await db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 1)');
    await expect(items.next()).rejects.toMatchObject({ code: 'RESYNC_REQUIRED' });
  });
});

test('answers of a former primary end no reader', async () => {
  await write(1, 3);
  await waitFor('the feed', () => feed.figures().seq === 3);
  const items = feed.subscribe({ filter: everything });
  await items.next();
  await db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 0)');
  await write(4, 4);
  expect(toNames(await take(items, 1))).toEqual(['n4']);
  // The former primary has neither the new timeline nor the event.
  const next = items.next();
  await db.execute('CREATE TABLE later AS SELECT * FROM status_change WHERE seq = 4');
  await db.transaction(async (tx) => {
    await tx.execute('DELETE FROM db_timeline WHERE epoch = 2');
    await tx.execute('DELETE FROM status_change WHERE seq = 4');
  });
  await waitFor('reads that are not believed', () => feed.figures().readAgoMs > 500);
  await db.transaction(async (tx) => {
    await tx.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 0)');
    await tx.execute('INSERT INTO status_change SELECT * FROM later');
  });
  await db.execute('DROP TABLE later');
  await write(5, 5);
  expect((await next).value?.event?.to).toBe('n5');
});

test('waitFor sees a match that passes after the call, and stops at its deadline', async () => {
  const seen = feed.waitFor((event) => event.to === 'n2', { timeoutMs: 5_000 });
  await write(1, 3);
  expect(await seen).toBe(true);
  expect(await feed.waitFor((event) => event.to === 'n2', { timeoutMs: 30 })).toBe(false);
  const controller = new AbortController();
  const aborted = feed.waitFor(everything, { timeoutMs: 5_000, signal: controller.signal });
  controller.abort();
  expect(await aborted).toBe(false);
});

const cursorOf = (cursor: Cursor): string => sealCursor(ground.cursors, cursor);
const cursorIn = (text: string): Cursor | undefined => openCursor(ground.cursors, text);

function startCursor(): string {
  return cursorOf({ timeline: 1, seq: 0, eventId: '' });
}
