// Rings of a shared stream, driven step by step: where each reader reads, and what happens to slow ones.
import { expect, test } from '@jest/globals';
import { SharedStream, type StreamReader } from '../../../gateway/subscriptions/shared-stream.ts';
import type { StreamItem } from '../../../gateway/subscriptions/upstream.ts';
import type { Cursor } from '../../../platform/events/cursor.ts';

const cursor = (seq: number, timeline = 1): Cursor => ({ timeline, seq, eventId: '' });
const item = (at: Cursor, checkpoint = false): StreamItem => ({
  cursor: at,
  cursorText: `c${at.seq}`,
  text: checkpoint ? `{"cursor":"c${at.seq}","thing":null}` : `e${at.seq}`,
  checkpoint,
});

/** One upstream, which gives scripted items. */
class Upstream {
  readonly after: Cursor | undefined;
  ended = false;
  pulls = 0;
  #items: StreamItem[] = [];
  #wake: () => void = () => {};

  constructor(after: Cursor | undefined, signal: AbortSignal) {
    this.after = after;
    signal.addEventListener('abort', () => {
      this.ended = true;
      this.#wake();
    });
  }

  give(...items: StreamItem[]): void {
    this.#items.push(...items);
    this.#wake();
  }

  async *stream(): AsyncGenerator<StreamItem, void, void> {
    while (!this.ended) {
      const next = this.#items.shift();
      if (next !== undefined) {
        this.pulls += 1;
        yield next;
      } else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function start(capacity: number) {
  const upstreams: Upstream[] = [];
  let emptied = 0;
  const stream = new SharedStream({
    source: (after, signal) => {
      const upstream = new Upstream(after, signal);
      upstreams.push(upstream);
      return upstream.stream();
    },
    capacity,
    onEmpty: () => {
      emptied += 1;
    },
    onUpstreams: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  const upstream = (index: number): Upstream => {
    const found = upstreams[index];
    if (found === undefined) throw new Error(`no upstream ${index}`);
    return found;
  };
  return { stream, upstreams, upstream, emptied: () => emptied };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const read = async (reader: StreamReader, count: number): Promise<string[]> => {
  const texts: string[] = [];
  for (let n = 0; n < count; n += 1) texts.push((await reader.next())?.text ?? 'end');
  return texts;
};

test('an upstream is not read further than a ring ahead of its fastest reader', async () => {
  const { stream, upstream } = start(4);
  const reader = stream.follow(cursor(0));
  upstream(0).give(...Array.from({ length: 20 }, (_item, index) => item(cursor(index + 1))));
  await settle();
  expect(upstream(0).pulls).toBe(4);
  expect(await read(reader, 20)).toEqual(Array.from({ length: 20 }, (_item, index) => `e${index + 1}`));
  reader.close();
});

test('a reader that falls behind the ring continues from its own cursor', async () => {
  const { stream, upstream, upstreams } = start(4);
  const fast = stream.follow(cursor(0));
  const slow = stream.follow(cursor(0));
  upstream(0).give(item(cursor(1)));
  expect(await read(slow, 1)).toEqual(['e1']);
  for (let seq = 2; seq <= 10; seq += 1) upstream(0).give(item(cursor(seq)));
  await read(fast, 10);
  const next = read(slow, 3);
  await settle();
  expect(upstreams).toHaveLength(2);
  expect(upstream(1).after).toEqual(cursor(1));
  upstream(1).give(item(cursor(2)), item(cursor(3)), item(cursor(4)));
  expect(await next).toEqual(['e2', 'e3', 'e4']);
  fast.close();
  slow.close();
});

test('a ring that has caught up is merged, and its readers miss nothing', async () => {
  const { stream, upstream } = start(8);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true));
  expect(await read(live, 1)).toHaveLength(1);
  const late = stream.follow(cursor(7));
  expect(upstream(1).after).toEqual(cursor(7));
  upstream(0).give(item(cursor(6)), item(cursor(8)));
  await settle();
  expect([upstream(0).ended, upstream(1).ended]).toEqual([false, true]);
  expect(await read(live, 2)).toEqual(['e6', 'e8']);
  expect(await read(late, 1)).toEqual(['e8']);
  live.close();
  late.close();
});

test('a reader of a merged ring that is too far behind the other starts again from its cursor', async () => {
  const { stream, upstream, upstreams } = start(4);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true));
  await read(live, 1);
  const late = stream.follow(cursor(6));
  upstream(0).give(item(cursor(7)));
  await read(live, 1);
  expect(upstream(1).ended).toBe(true);
  // `late` reads nothing while the live ring turns over.
  for (let seq = 8; seq <= 20; seq += 1) {
    upstream(0).give(item(cursor(seq)));
    await read(live, 1);
  }
  const next = late.next();
  await settle();
  expect(upstreams).toHaveLength(3);
  expect(upstream(2).after).toEqual(cursor(6));
  upstream(2).give(item(cursor(7)));
  expect((await next)?.text).toBe('e7');
  live.close();
  late.close();
});

test('an old cursor does not resume in a new timeline', async () => {
  const { stream, upstream, upstreams } = start(8);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true), item(cursor(6)), item(cursor(7, 2)), item(cursor(8, 2)));
  await read(live, 4);
  const old = stream.follow(cursor(6));
  expect(upstreams).toHaveLength(2);
  const same = stream.follow(cursor(7, 2));
  expect(upstreams).toHaveLength(2);
  expect(await read(same, 1)).toEqual(['e8']);
  for (const reader of [live, old, same]) reader.close();
});

test('a reader that begins now in a running ring gets a checkpoint at its end', async () => {
  const { stream, upstream } = start(8);
  const first = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true), item(cursor(6)));
  await read(first, 2);
  const second = stream.follow(undefined);
  expect(await read(second, 1)).toEqual(['{"cursor":"c6","thing":null}']);
  first.close();
  second.close();
});

test('a reader closed during a wait ends, and the last one ends the upstream', async () => {
  const { stream, upstream, emptied } = start(4);
  const [one, two] = [stream.follow(undefined), stream.follow(undefined)];
  const waiting = one.next();
  one.close();
  expect(await waiting).toBeUndefined();
  expect([upstream(0).ended, emptied()]).toEqual([false, 0]);
  two.close();
  expect([upstream(0).ended, emptied()]).toEqual([true, 1]);
});

test('a slow reader starts again from its cursor if its ring was merged into one that everyone has left since', async () => {
  const { stream, upstream, upstreams } = start(8);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true));
  await read(live, 1);
  const slow = stream.follow(cursor(6));
  upstream(1).give(item(cursor(7)));
  expect(await read(slow, 1)).toEqual(['e7']);
  // The live ring merges the slow reader's, which is still receiving its last item.
  upstream(0).give(item(cursor(7)));
  await settle();
  expect(upstream(1).ended).toBe(true);
  live.close();
  expect(upstream(0).ended).toBe(true);
  const next = slow.next();
  await settle();
  expect(upstreams).toHaveLength(3);
  expect(upstream(2).after).toEqual(cursor(7));
  upstream(2).give(item(cursor(8)));
  expect((await next)?.text).toBe('e8');
  slow.close();
  expect(upstream(2).ended).toBe(true);
});

test('two rings that reach the same position at the same moment do not merge each other', async () => {
  const { stream, upstreams, upstream } = start(8);
  const live = stream.follow(undefined);
  const resumed = stream.follow(cursor(5));
  upstream(0).give(item(cursor(5), true));
  upstream(1).give(item(cursor(5), true));
  await settle();
  expect(upstreams.map(({ ended }) => ended)).toEqual([false, true]);
  upstream(0).give(item(cursor(6)));
  expect(await read(live, 2)).toEqual(['{"cursor":"c5","thing":null}', 'e6']);
  expect(await read(resumed, 1)).toEqual(['e6']);
  live.close();
  resumed.close();
  expect(upstream(0).ended).toBe(true);
});
