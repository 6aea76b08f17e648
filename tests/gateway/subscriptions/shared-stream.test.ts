// Rings of a shared stream, driven step by step: the position of each reader, and the handling of slow readers.
import { describe, expect, test } from '@jest/globals';
import { FeedFilter } from '../../../gateway/access/feed-filter.ts';
import { SharedStream, type StreamReader } from '../../../gateway/subscriptions/shared-stream.ts';
import type { StreamCursor } from '../../../gateway/subscriptions/stream-cursor.ts';
import type { StreamItem } from '../../../gateway/subscriptions/stream-item.ts';
import { type SourceRequest, StreamEnded } from '../../../gateway/subscriptions/upstream.ts';

const text = (seq: number, timeline = 1) => `${timeline === 1 ? 'c' : `t${timeline}c`}${seq}`;
const cursor = (seq: number, timeline = 1): StreamCursor => ({ timeline, seq, text: text(seq, timeline) });
const item = (at: StreamCursor, checkpoint = false): StreamItem => ({
  cursor: at,
  facets: undefined,
  text: checkpoint ? `{"cursor":"c${at.seq}","thing":null}` : `e${at.seq}`,
  checkpoint,
});

/** One upstream that gives scripted items. */
class Upstream {
  readonly after: string | undefined;
  readonly filter: FeedFilter;
  readonly wanted: SourceRequest['wanted'];
  ended = false;
  pulls = 0;
  #items: StreamItem[] = [];
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor({ after, filter, wanted, signal }: SourceRequest) {
    this.after = after;
    this.filter = filter;
    this.wanted = wanted;
    signal.addEventListener('abort', () => {
      this.ended = true;
      this.#wake();
    });
  }

  give(...items: StreamItem[]): void {
    this.#items.push(...items);
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async *stream(): AsyncGenerator<StreamItem, void, void> {
    while (!this.ended) {
      if (this.#failure !== undefined) throw this.#failure;
      const next = this.#items.shift();
      if (next !== undefined) {
        this.pulls += 1;
        // An item without readers is not completed.
        yield this.wanted(next.facets) ? next : { ...next, text: undefined };
      } else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function start(capacity: number, mostLength = 1_000_000) {
  const upstreams: Upstream[] = [];
  let emptied = 0;
  const stream = new SharedStream({
    source: (request) => {
      const upstream = new Upstream(request);
      upstreams.push(upstream);
      return upstream.stream();
    },
    ...{ capacity, mostLength },
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
  const reader = stream.follow(text(0));
  upstream(0).give(...Array.from({ length: 20 }, (_item, index) => item(cursor(index + 1))));
  await settle();
  expect(upstream(0).pulls).toBe(4);
  expect(await read(reader, 20)).toEqual(Array.from({ length: 20 }, (_item, index) => `e${index + 1}`));
  reader.close();
});

test('a reader that falls behind the ring continues from its own cursor', async () => {
  const { stream, upstream, upstreams } = start(4);
  const fast = stream.follow(text(0));
  const slow = stream.follow(text(0));
  upstream(0).give(item(cursor(1)));
  expect(await read(slow, 1)).toEqual(['e1']);
  for (let seq = 2; seq <= 10; seq += 1) upstream(0).give(item(cursor(seq)));
  await read(fast, 10);
  const next = read(slow, 3);
  await settle();
  expect(upstreams).toHaveLength(2);
  expect(upstream(1).after).toEqual(text(1));
  upstream(1).give(item(cursor(2)), item(cursor(3)), item(cursor(4)));
  expect(await next).toEqual(['e2', 'e3', 'e4']);
  fast.close();
  slow.close();
});

describe('long items', () => {
  const long = (seq: number): StreamItem => ({ ...item(cursor(seq)), text: `e${seq}`.padEnd(100, '.') });

  test('an upstream is not read further ahead of its fastest reader than the length that a ring keeps', async () => {
    const { stream, upstream } = start(1_000, 1_000);
    const reader = stream.follow(text(0));
    upstream(0).give(...Array.from({ length: 50 }, (_item, index) => long(index + 1)));
    await settle();
    expect(upstream(0).pulls).toBeLessThanOrEqual(10);
    expect((await read(reader, 50)).map((each) => each.replaceAll('.', ''))).toEqual(
      Array.from({ length: 50 }, (_item, index) => `e${index + 1}`),
    );
    reader.close();
  });

  test('a ring keeps a bounded length of them, and a reader that falls behind continues from its own cursor', async () => {
    const { stream, upstream, upstreams } = start(1_000, 1_000);
    const fast = stream.follow(text(0));
    const slow = stream.follow(text(0));
    for (let seq = 1; seq <= 20; seq += 1) {
      upstream(0).give(long(seq));
      await read(fast, 1);
    }
    const next = read(slow, 1);
    await settle();
    expect(upstreams).toHaveLength(2);
    expect(upstream(1).after).toEqual(text(0));
    upstream(1).give(long(1));
    expect((await next)[0]).toMatch(/^e1\./);
    fast.close();
    slow.close();
  });

  test('an item that is longer than a ring can hold is passed on', async () => {
    const { stream, upstream, upstreams } = start(1_000, 50);
    const reader = stream.follow(text(0));
    const texts = read(reader, 2);
    upstream(0).give(long(1), long(2));
    expect(await texts).toHaveLength(2);
    expect(upstreams).toHaveLength(1);
    reader.close();
  });
});

test('a ring that has caught up is merged, and its readers miss nothing', async () => {
  const { stream, upstream } = start(8);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true));
  expect(await read(live, 1)).toHaveLength(1);
  const late = stream.follow(text(7));
  expect(upstream(1).after).toEqual(text(7));
  upstream(0).give(item(cursor(6)), item(cursor(8)));
  upstream(1).give(item(cursor(8)));
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
  const late = stream.follow(text(6));
  upstream(0).give(item(cursor(7)));
  await read(live, 1);
  upstream(1).give(item(cursor(7)));
  await settle();
  expect(upstream(1).ended).toBe(true);
  // `late` reads nothing while the whole live ring is replaced.
  for (let seq = 8; seq <= 20; seq += 1) {
    upstream(0).give(item(cursor(seq)));
    await read(live, 1);
  }
  expect((await late.next())?.text).toBe('e7');
  const next = late.next();
  await settle();
  expect(upstreams).toHaveLength(3);
  expect(upstream(2).after).toEqual(text(7));
  upstream(2).give(item(cursor(8)));
  expect((await next)?.text).toBe('e8');
  live.close();
  late.close();
});

test('an old cursor does not resume in a new timeline', async () => {
  const { stream, upstream, upstreams } = start(8);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true), item(cursor(6)), item(cursor(7, 2)), item(cursor(8, 2)));
  await read(live, 4);
  const old = stream.follow(text(6));
  expect(upstreams).toHaveLength(2);
  const same = stream.follow(text(7, 2));
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

test('a reader that is closed during a wait ends, and the last one ends the upstream', async () => {
  const { stream, upstream, emptied } = start(4);
  const [one, two] = [stream.follow(undefined), stream.follow(undefined)];
  const waiting = one.next();
  one.close();
  expect(await waiting).toBeUndefined();
  expect([upstream(0).ended, emptied()]).toEqual([false, 0]);
  two.close();
  expect([upstream(0).ended, emptied()]).toEqual([true, 1]);
});

test('a slow reader starts again from its cursor if its ring was merged into one that is empty now', async () => {
  const { stream, upstream, upstreams } = start(8);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true));
  await read(live, 1);
  const slow = stream.follow(text(6));
  upstream(1).give(item(cursor(7)));
  expect(await read(slow, 1)).toEqual(['e7']);
  // The live ring merges with the slow reader's, which is still receiving its last item.
  upstream(0).give(item(cursor(7)));
  await settle();
  expect(upstream(1).ended).toBe(true);
  live.close();
  expect(upstream(0).ended).toBe(true);
  const next = slow.next();
  await settle();
  expect(upstreams).toHaveLength(3);
  expect(upstream(2).after).toEqual(text(7));
  upstream(2).give(item(cursor(8)));
  expect((await next)?.text).toBe('e8');
  slow.close();
  expect(upstream(2).ended).toBe(true);
});

test('two rings that reach the same position at the same moment do not merge into each other', async () => {
  const { stream, upstreams, upstream } = start(8);
  const live = stream.follow(undefined);
  const resumed = stream.follow(text(5));
  upstream(0).give(item(cursor(5), true));
  upstream(1).give(item(cursor(5), true));
  await settle();
  expect(upstreams.map(({ ended }) => ended)).toEqual([true, false]);
  upstream(1).give(item(cursor(6)));
  for (const reader of [live, resumed]) expect(await read(reader, 2)).toEqual(['{"cursor":"c5","thing":null}', 'e6']);
  live.close();
  resumed.close();
  expect(upstream(1).ended).toBe(true);
});

test('the subgraph resumes an unknown cursor once for all readers with it', async () => {
  const { stream, upstream, upstreams } = start(8);
  const live = stream.follow(undefined);
  upstream(0).give(item(cursor(5), true), item(cursor(6)));
  expect(await read(live, 2)).toHaveLength(2);
  const known = stream.follow(text(5));
  expect(await read(known, 1)).toEqual(['e6']);
  expect(upstreams).toHaveLength(1);
  const [one, two] = [stream.follow('unknown'), stream.follow('unknown')];
  expect(upstreams).toHaveLength(2);
  expect(upstream(1).after).toBe('unknown');
  upstream(1).give(item(cursor(2)), item(cursor(6)));
  expect(await read(one, 2)).toEqual(['e2', 'e6']);
  expect(await read(two, 2)).toEqual(['e2', 'e6']);
  await settle();
  expect(upstreams.map(({ ended }) => ended)).toEqual([true, false]);
  upstream(1).give(item(cursor(7)));
  for (const reader of [live, known, one, two]) expect(await read(reader, 1)).toEqual(['e7']);
  for (const reader of [live, known, one, two]) reader.close();
  expect(upstream(1).ended).toBe(true);
});

describe('filters', () => {
  const by = (kind: string) => new FeedFilter([{ name: 'kind', variable: 'kind', value: kind }]);
  const of = (seq: number, kind: string): StreamItem => ({ ...item(cursor(seq)), facets: [`kind=${kind}`] });

  test('a thousand filters on one selection share one upstream, and an item wakes only its readers', async () => {
    const { stream, upstream, upstreams } = start(64);
    const readers = Array.from({ length: 1_000 }, (_, index) => stream.follow(undefined, by(`k${index}`)));
    expect(upstreams).toHaveLength(1_001);
    const [, gathering] = upstreams;
    expect(gathering?.filter.key).toBe('');
    gathering?.give(item(cursor(5), true));
    await settle();
    for (const each of upstreams) if (each !== gathering) each.give(item(cursor(7), true));
    const first = await Promise.all(readers.map((reader) => read(reader, 1)));
    expect(new Set(first.flat())).toEqual(new Set(['{"cursor":"c7","thing":null}']));
    expect(upstreams.filter(({ ended }) => !ended)).toEqual([gathering]);
    let woken = 0;
    const next = readers.map(async (reader) => {
      const got = await reader.next();
      woken += 1;
      return got?.text;
    });
    await settle();
    gathering?.give(of(8, 'k17'), of(9, 'none'), of(10, 'k999'));
    await settle();
    expect(woken).toBe(2);
    expect(await Promise.all([next[17], next[999]])).toEqual(['e8', 'e10']);
    for (const reader of readers) reader.close();
    expect(upstream(1).ended).toBe(true);
  });

  test('a single filter is sent to the subgraph', async () => {
    const { stream, upstream, upstreams } = start(8);
    const [one, two] = [stream.follow(undefined, by('a')), stream.follow(undefined, by('a'))];
    expect(upstreams).toHaveLength(1);
    expect(upstream(0).filter.variables).toEqual({ kind: 'a' });
    one.close();
    two.close();
    expect(upstream(0).ended).toBe(true);
  });

  test('a filter that the subgraph refuses ends only its readers', async () => {
    const { stream, upstreams } = start(8);
    const open = stream.follow(undefined);
    upstreams[0]?.give(item(cursor(1), true));
    await read(open, 1);
    const refused = stream.follow(undefined, by('no such'));
    expect(upstreams[1]?.filter.variables).toEqual({ kind: 'no such' });
    upstreams[1]?.fail(new StreamEnded([{ message: 'no such kind' }]));
    await expect(refused.next()).rejects.toThrow('no such kind');
    refused.close();
    upstreams[0]?.give(of(2, 'a'));
    expect(await read(open, 1)).toEqual(['e2']);
    open.close();
  });

  test('a reader that resumes at an item without readers gets it from the subgraph', async () => {
    const { stream, upstreams } = start(8);
    const [a, b] = [stream.follow(undefined, by('a')), stream.follow(undefined, by('b'))];
    const [ofA, gathering, ofB] = upstreams;
    gathering?.give(item(cursor(5), true));
    ofA?.give(item(cursor(5), true));
    ofB?.give(item(cursor(5), true));
    await Promise.all([read(a, 1), read(b, 1)]);
    await settle();
    gathering?.give(of(6, 'c'), of(7, 'a'));
    expect(await read(a, 1)).toEqual(['e7']);
    const late = stream.follow(text(5), by('c'));
    const own = upstreams.at(-1);
    expect(own?.after).toEqual(text(5));
    expect(own?.filter.variables).toEqual({ kind: 'c' });
    own?.give(of(6, 'c'));
    expect(await read(late, 1)).toEqual(['e6']);
    await settle();
    expect(own?.ended).toBe(true);
    gathering?.give(of(8, 'c'));
    expect(await read(late, 1)).toEqual(['e8']);
    for (const reader of [a, b, late]) reader.close();
  });

  test('a reader without items gets the position of the stream, and never falls out of the ring', async () => {
    const { stream, upstreams } = start(4);
    const [a, b] = [stream.follow(undefined, by('a')), stream.follow(undefined, by('b'))];
    const [ofA, gathering, ofB] = upstreams;
    gathering?.give(item(cursor(5), true));
    for (const each of [ofA, ofB]) each?.give(item(cursor(5), true));
    await Promise.all([read(a, 1), read(b, 1)]);
    const waiting = b.next();
    for (let seq = 6; seq < 40; seq += 1) gathering?.give(of(seq, 'a'));
    expect(await read(a, 34)).toHaveLength(34);
    stream.giveCheckpoints(0, performance.now() + 1);
    expect((await waiting)?.text).toBe('{"cursor":"c39","thing":null}');
    gathering?.give(of(40, 'b'));
    expect(await read(b, 1)).toEqual(['e40']);
    expect(upstreams).toHaveLength(3);
    for (const reader of [a, b]) reader.close();
  });
});
