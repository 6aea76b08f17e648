// How much and how often `tidegate top` reads: only the rows on the screen, and less often while nothing changes.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { GraphClient } from '../../../cli/graph-client.ts';
import { nouns, verbsAlone } from '../../../cli/table.ts';
import { loaded } from '../../../cli/top/changes.ts';
import { Pace, slowestMs } from '../../../cli/top/pace.ts';
import { press } from '../../../cli/top/press.ts';
import type { Screen } from '../../../cli/top/screen.ts';
import { TopSession } from '../../../cli/top/session.ts';
import { firstState, type Row, readKey, rowsToRead, viewOf } from '../../../cli/top/state.ts';
import { topicsOf } from '../../../cli/top/topics.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from '../commands/graph-server.ts';

const topics = topicsOf(nouns);

test('unchanged data is read less often, until it changes', () => {
  const pace = new Pace();
  const same = { rows: [1] };
  expect([1, 2, 3, 4, 5].map(() => pace.next(same, 5_000))).toEqual([5_000, 10_000, 20_000, slowestMs, slowestMs]);
  expect([pace.next({ rows: [2] }, 5_000), pace.next({ rows: [2] }, 5_000)]).toEqual([5_000, 10_000]);
  // It has events, which report changes.
  expect([1, 2, 3].map(() => pace.next({ rows: [3] }, 15_000))).toEqual([15_000, slowestMs, slowestMs]);
});

const row = (at: number, text = 'ONLINE'): Row => ({
  ...{ id: `id-${at}`, type: 'Backend', name: `edge-${at}` },
  cells: [`edge-${at}`, text],
});
const rows = (count: number, text?: string) => Array.from({ length: count }, (_, at) => row(at, text));
const type = (keys: string) =>
  [...keys, 'return'].reduce(
    (state, key) => press(state, key, topics),
    firstState({ rows: 24, columns: 80 }, { nowMs: 0, clockMs: 0 }),
  );

test('after the first time only the rows on the screen are read, and those below stay as they were', () => {
  const empty = type(':backends');
  const key = readKey(viewOf(empty), 80);
  expect(rowsToRead(viewOf(empty), empty)).toBe(100);
  const whole = loaded(empty, key, { kind: 'table', data: { rows: rows(100), total: 250, next: 'c-100' } });
  expect(rowsToRead(viewOf(whole), whole)).toBe(20);
  // The last row on the screen is new there; it was further down before.
  const part = [...rows(19, 'OFFLINE'), row(50, 'OFFLINE')];
  const again = loaded(whole, key, { kind: 'table', data: { rows: part, total: 251, next: 'c-20', isPart: true } });
  const view = viewOf(again);
  expect(view).toMatchObject({ kind: 'table', data: { total: 251, next: 'c-100' } });
  const shown = view.kind === 'table' ? (view.data?.rows ?? []) : [];
  expect(shown.slice(0, 20)).toEqual(part);
  expect(shown.slice(20).every(({ id, cells }) => id !== 'id-50' && cells[1] === 'ONLINE')).toBe(true);
  // On the way to the last row, all rows are passed.
  const below = press(again, 'end', topics);
  expect(rowsToRead(viewOf(below), below)).toBe(99);
  // Ordering the page needs all rows.
  const sorted = press(again, 'o', topics);
  expect(rowsToRead(viewOf(sorted), sorted)).toBe(100);
});

let server: GraphServer;
let client: GraphClient;
beforeAll(async () => {
  server = await GraphServer.start();
  client = new GraphClient({
    ...{ url: new URL(server.url), signal: new AbortController().signal },
    credential: { token: async () => goodToken, inPlaceOf: async () => undefined, close: async () => undefined },
  });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});
beforeEach(() => {
  server.requests.length = 0;
});

test('an event makes it read the rows on the screen again, and scrolling those that appear', async () => {
  const flavor = (at: number) => ({
    ...{ __typename: 'GslbVantagePoint', id: `v-${at}`, name: `v-${at}`, region: 'r', latitude: 1, longitude: 2 },
  });
  const all = Array.from({ length: 150 }, (_, at) => flavor(at));
  let ring: () => void = () => undefined;
  const ending = new AbortController();
  server.answers = {
    gslbVantagePoints: (args: { first: number; after: string | null }) => ({
      ...(pageOf(all, { ...args, names: null }) as object),
      totalCount: all.length,
    }),
    async *statusChanges() {
      while (!ending.signal.aborted) {
        await new Promise<void>((resolve) => {
          ring = resolve;
          ending.signal.addEventListener('abort', () => resolve(), { once: true });
        });
        const change = {
          ...{ changedAt: new Date(), kind: 'vantagePoint.changed', subjectType: 'GslbVantagePoint', subjectId: 'v-1' },
          ...{ subjectVersion: 1, from: null, to: 'X', reason: null, requestId: null },
        };
        yield { statusChanges: { cursor: '1', kind: 'CREATED', change } };
      }
    },
  };
  let onKey: (key: string) => void = () => undefined;
  let drawn: readonly string[] = [];
  const screen = {
    size: { rows: 24, columns: 100 },
    take: ({ key }: { key: (key: string) => void }) => {
      onKey = key;
    },
    draw: (lines: readonly string[]) => {
      drawn = lines;
    },
    giveBack: () => undefined,
  } as unknown as Screen;
  const { signal } = ending;
  const why = verbsAlone.why?.load ?? (() => Promise.reject(new Error('no why')));
  const running = new TopSession({ client, signal, env: {}, nouns, topics, why }, screen).run();
  const reads = () =>
    server.requests.flatMap((each) => (typeof each.first === 'number' && 'after' in each ? [each.first] : []));
  for (const key of [...':vantage-points', 'return']) onKey(key);
  await waitFor('the page', () => drawn.some((line) => line.includes('v-19')));
  expect(reads()).toEqual([100]);
  await waitFor('a second reading', () => {
    ring();
    return reads().length > 1;
  });
  expect(
    reads()
      .slice(1)
      .every((first) => first === 20),
  ).toBe(true);
  onKey('pagedown');
  await waitFor('the rows that came into sight', () => reads().at(-1) === 21);
  ending.abort();
  await running;
});
