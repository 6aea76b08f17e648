// Which process of a subgraph gets the next request.
import { describe, expect, test } from '@jest/globals';
import { Places } from '../../../gateway/supergraph/places.ts';

type Kind = Parameters<Places<string>['give']>[1];

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
      queriesAtOnce: options.atOnce ?? 10,
      mutationsAtOnce: options.atOnce ?? 10,
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
    this.places.give(place, wish);
    return place;
  }

  /** Waits until a probe that was sent is answered. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('requests are spread over all places', () => {
  test('the place with the fewest open requests is next, and equal ones take turns', async () => {
    const { places } = new Setup({ all: ['a', 'b', 'c'] });
    const taken = [];
    for (let count = 0; count < 6; count += 1) taken.push(await places.take(query, never));
    expect(taken.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    places.give('b', query);
    expect(await places.take(mutation, never)).toBe('b');
  });

  test('a failed place gets nothing until a probe succeeds, and each further failure delays the probe', async () => {
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

  test('after a failure a place must answer one query before it gets other queries or mutations', async () => {
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

  test('a place that was too slow is avoided only if it does not answer a probe', async () => {
    const setup = new Setup();
    setup.places.doubt('a');
    await setup.settle();
    expect(new Set([await setup.next(), await setup.next()])).toEqual(new Set(['a', 'b']));
    setup.live.set('a', false);
    setup.places.doubt('a');
    await setup.settle();
    expect([await setup.next(), await setup.next()]).toEqual(['b', 'b']);
  });

  test('when all places have failed, each is tried', async () => {
    const { places } = new Setup();
    places.failed('a');
    places.failed('b');
    const first = await places.take(mutation, never);
    const second = await places.take({ ...mutation, tried: new Set([first]) }, never);
    expect([first, second].toSorted()).toEqual(['a', 'b']);
  });
});

describe('a place that answers that it is not able to serve', () => {
  test('is avoided until it has answered a query, and gets one after a while', async () => {
    const setup = new Setup();
    const { places } = setup;
    for (const [restMs, said] of [
      [1000, 2],
      [2000, 1],
      [4000, 1],
    ] as const) {
      // Several open requests report the failure together.
      for (let count = 0; count < said; count += 1) places.ailing('a');
      const fromMs = setup.nowMs;
      setup.nowMs = fromMs + restMs - 1;
      expect([await setup.next(), await setup.next(), await setup.next(mutation)]).toEqual(['b', 'b', 'b']);
      setup.nowMs = fromMs + restMs;
      expect(await setup.next(mutation)).toBe('b');
      expect(await places.take(query, never)).toBe('a');
      expect([await setup.next(), await setup.next()]).toEqual(['b', 'b']);
      places.give('a', query);
    }
    places.answered('a');
    expect(new Set([await setup.next(mutation), await setup.next(mutation)])).toEqual(new Set(['a', 'b']));
    expect(setup.probed).toEqual([]);
  });

  test('is still used if there is no better one', async () => {
    const setup = new Setup();
    for (const place of setup.places.all) setup.places.ailing(place);
    expect(new Set([await setup.next(), await setup.next(mutation)])).toEqual(new Set(['a', 'b']));
    const only = new Setup({ all: ['a'] });
    only.places.ailing('a');
    expect(await only.next(mutation)).toBe('a');
  });

  test('is still used in the mode with one place at a time', async () => {
    const setup = new Setup({ oneAtATime: true });
    setup.places.ailing('a');
    expect([await setup.next(), await setup.next(mutation)]).toEqual(['a', 'a']);
  });
});

describe('one at a time', () => {
  test('a place is used until it fails, and then the next one; there is no way back', async () => {
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
  test('requests wait in order, and go to the first place with room', async () => {
    const { places } = new Setup({ atOnce: 1 });
    const taken = [await places.take(query, never), await places.take(query, never)];
    expect(taken.toSorted()).toEqual(['a', 'b']);
    const got: string[] = [];
    const wait = (name: string) => places.take(query, never).then((place) => got.push(`${name} ${place}`));
    const [first, second] = [wait('first'), wait('second')];
    places.give('b', query);
    await first;
    places.give('a', query);
    await second;
    expect(got).toEqual(['first b', 'second a']);
  });

  test('queries and mutations do not wait for each other', async () => {
    const { places } = new Setup({ atOnce: 1 });
    for (const wish of [query, mutation])
      expect(new Set([await places.take(wish, never), await places.take(wish, never)])).toEqual(new Set(['a', 'b']));
    const got: string[] = [];
    const wait = (name: string, wish: typeof query) =>
      places.take(wish, never).then((place) => got.push(`${name} ${place}`));
    const waiting = [wait('query', query), wait('mutation', mutation)];
    places.give('b', mutation);
    await waiting[1];
    expect(got).toEqual(['mutation b']);
    places.give('a', query);
    await waiting[0];
    expect(got).toEqual(['mutation b', 'query a']);
  });

  test('one user has at most three quarters of a place, and users take turns', async () => {
    const { places } = new Setup({ atOnce: 4, all: ['a'] });
    const [ann, bob, eve] = ['ann', 'bob', 'eve'].map((user) => ({ mutation: false, user })) as [Kind, Kind, Kind];
    const got: string[] = [];
    const wait = (name: string, kind: Kind) => places.take(kind, never).then(() => got.push(name));
    for (let count = 0; count < 3; count += 1) await places.take(ann, never);
    const waiting = [wait('ann 1', ann), wait('ann 2', ann), wait('ann 3', ann)];
    // Another user gets room at once.
    await places.take(bob, never);
    waiting.push(wait('bob 1', bob), wait('bob 2', bob), wait('eve 1', eve));
    for (let count = 0; count < 3; count += 1) places.give('a', ann);
    await Promise.all([waiting[0], waiting[3], waiting[5]]);
    expect(got).toEqual(['ann 1', 'bob 1', 'eve 1']);
    for (const kind of [ann, bob, eve]) places.give('a', kind);
    await Promise.all(waiting);
    expect(got.slice(3)).toEqual(['ann 2', 'bob 2', 'ann 3']);
  });

  test('a user who has no more room at one place goes to another, and blocks nobody', async () => {
    const { places } = new Setup({ atOnce: 4 });
    const kinds = ['ann', 'bob'].map((user) => ({ mutation: true, user })) as [Kind, Kind];
    const [ann, bob] = kinds;
    const taken = [];
    for (let count = 0; count < 6; count += 1) taken.push(await places.take(ann, never));
    expect(taken.toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
    const waiting = places.take(ann, never);
    places.failed('a');
    expect(await places.take(bob, never)).toBe('b');
    const other = places.take(bob, never);
    places.give('b', ann);
    expect(await waiting).toBe('b');
    places.give('b', bob);
    expect(await other).toBe('b');
  });

  test('a place with room for the kind of request is used, even if another one has fewer open requests', async () => {
    const { places } = new Setup({ atOnce: 2 });
    for (let count = 0; count < 4; count += 1) await places.take(mutation, never);
    for (let count = 0; count < 2; count += 1) await places.take(query, never);
    const full = await places.take(query, never);
    const other = full === 'a' ? 'b' : 'a';
    for (let count = 0; count < 2; count += 1) places.give(full, mutation);
    expect(await places.take(query, never)).toBe(other);
  });

  test('requests that wait for a place continue when the place fails', async () => {
    const { places } = new Setup({ atOnce: 1, oneAtATime: true });
    expect(await places.take(query, never)).toBe('a');
    const waiting = places.take(query, never);
    places.failed('a');
    expect(await waiting).toBe('b');
  });

  test('an abandoned request takes no place', async () => {
    const { places } = new Setup({ atOnce: 1, all: ['a'] });
    await places.take(query, never);
    const gone = new AbortController();
    const waiting = places.take(query, gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(places.take(query, gone.signal)).rejects.toThrow('gone');
    places.give('a', query);
    expect(await places.take(query, never)).toBe('a');
  });
});
