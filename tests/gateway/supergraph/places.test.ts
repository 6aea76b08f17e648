// Which process of a subgraph gets the next request.
import { describe, expect, test } from '@jest/globals';
import { Places } from '../../../gateway/supergraph/places.ts';

const never = new AbortController().signal;
const query = { mutation: false };
const mutation = { mutation: true };

class Setup {
  nowMs = 0;
  readonly live = new Map<string, boolean>();
  readonly probed: string[] = [];
  readonly places: Places<string>;

  constructor(options: { oneAtATime?: boolean; atOnce?: number; all?: [string, ...string[]] } = {}) {
    this.places = new Places({
      places: options.all ?? ['a', 'b'],
      atOnce: options.atOnce ?? 10,
      oneAtATime: options.oneAtATime === true,
      probe: async (place) => {
        this.probed.push(place);
        return this.live.get(place) ?? true;
      },
      nowMs: () => this.nowMs,
    });
    for (const place of this.places.all) this.places.answered(place);
  }

  /** The place of a request that is answered at once. */
  async next(wish = query): Promise<string> {
    const place = await this.places.take(wish, never);
    this.places.give(place);
    return place;
  }

  /** Until a probe that was sent is answered. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('spread over all', () => {
  test('the one with the fewest requests under way is next; of equals each in turn', async () => {
    const { places } = new Setup({ all: ['a', 'b', 'c'] });
    const taken = [];
    for (let count = 0; count < 6; count += 1) taken.push(await places.take(query, never));
    expect(taken.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    places.give('b');
    expect(await places.take(mutation, never)).toBe('b');
  });

  test('a place that failed gets nothing until a probe succeeds, later after each further failure', async () => {
    const setup = new Setup();
    const { places } = setup;
    places.failed('a');
    setup.live.set('a', false);
    for (const [nowMs, probes] of [
      [999, 0],
      [1000, 1],
      [2999, 1],
      [3000, 2],
      [6999, 2],
      [7000, 3],
      [14_999, 3],
      [15_000, 4],
      [23_000, 5],
    ] as const) {
      setup.nowMs = nowMs;
      expect([await setup.next(), await setup.next()]).toEqual(['b', 'b']);
      await setup.settle();
      expect(setup.probed).toHaveLength(probes);
    }
    setup.live.set('a', true);
    setup.nowMs = 31_000;
    expect(await setup.next()).toBe('b');
    await setup.settle();
    expect(await setup.next()).toBe('a');
  });

  test('after a failure it has to answer one query before it gets others, or mutations', async () => {
    const setup = new Setup();
    const { places } = setup;
    places.failed('a');
    setup.nowMs = 1000;
    await setup.next();
    await setup.settle();
    expect(await setup.next(mutation)).toBe('b');
    expect(await places.take(query, never)).toBe('a');
    expect(await places.take(query, never)).toBe('b');
    expect(await places.take(query, never)).toBe('b');
    places.answered('a');
    expect(await places.take(mutation, never)).toBe('a');
  });

  test('one that was too slow is left only if it does not answer a probe', async () => {
    const setup = new Setup();
    setup.places.doubt('a');
    await setup.settle();
    expect(new Set([await setup.next(), await setup.next()])).toEqual(new Set(['a', 'b']));
    setup.live.set('a', false);
    setup.places.doubt('a');
    await setup.settle();
    expect([await setup.next(), await setup.next()]).toEqual(['b', 'b']);
  });

  test('when all have failed, each is tried', async () => {
    const { places } = new Setup();
    places.failed('a');
    places.failed('b');
    const first = await places.take(mutation, never);
    const second = await places.take({ ...mutation, tried: new Set([first]) }, never);
    expect([first, second].toSorted()).toEqual(['a', 'b']);
  });
});

describe('one at a time', () => {
  test('one is used until it fails, then the next; it does not go back', async () => {
    const setup = new Setup({ oneAtATime: true });
    const { places } = setup;
    expect([await places.take(query, never), await places.take(mutation, never)]).toEqual(['a', 'a']);
    places.failed('a');
    setup.nowMs = 1000;
    expect(await setup.next()).toBe('b');
    await setup.settle();
    expect([await setup.next(), await setup.next(mutation)]).toEqual(['b', 'b']);
    places.failed('b');
    expect(await setup.next()).toBe('a');
  });
});

describe('no room', () => {
  test('requests wait in their order, and go wherever there is room first', async () => {
    const { places } = new Setup({ atOnce: 1 });
    const taken = [await places.take(query, never), await places.take(query, never)];
    expect(taken.toSorted()).toEqual(['a', 'b']);
    const got: string[] = [];
    const wait = (name: string) => places.take(query, never).then((place) => got.push(`${name} ${place}`));
    const [first, second] = [wait('first'), wait('second')];
    places.give('b');
    await first;
    places.give('a');
    await second;
    expect(got).toEqual(['first b', 'second a']);
  });

  test('they go on when the place for which they wait fails', async () => {
    const { places } = new Setup({ atOnce: 1, oneAtATime: true });
    expect(await places.take(query, never)).toBe('a');
    const waiting = places.take(query, never);
    places.failed('a');
    expect(await waiting).toBe('b');
  });

  test('one that is no longer wanted takes no place', async () => {
    const { places } = new Setup({ atOnce: 1, all: ['a'] });
    await places.take(query, never);
    const gone = new AbortController();
    const waiting = places.take(query, gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(places.take(query, gone.signal)).rejects.toThrow('gone');
    places.give('a');
    expect(await places.take(query, never)).toBe('a');
  });
});
