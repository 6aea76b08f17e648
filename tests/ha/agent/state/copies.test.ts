// The copy of the primary's data that a host fetches. There is one at a time, it starts after the host's own data was saved, and a failed one
// is retried later.
import { beforeEach, expect, test } from '@jest/globals';
import { silentLog } from '../../../../embedded/setup-log.ts';
import type { FetchOptions } from '../../../../ha/agent/fetch-copy.ts';
import { Copies, type CopiesOptions } from '../../../../ha/agent/state/copies.ts';

const tls = { ca: 'ca', cert: 'cert', key: 'key' };
const place = { into: '/copy', runAs: undefined, freeBytes: async () => 1 };

let nowMs: number;
let told: string[];
let logged: string[];
let fetching: PromiseWithResolvers<void>;
let fetched: FetchOptions | undefined;
let saves: () => Promise<void>;
let stop: AbortController;
let options: CopiesOptions;
let copies: Copies;

beforeEach(() => {
  nowMs = 10_000;
  [told, logged, fetched] = [[], [], undefined];
  fetching = Promise.withResolvers<void>();
  saves = async () => undefined;
  stop = new AbortController();
  options = {
    ...{ settings: { tls, ports: { a: 3307 } }, me: 'b', signal: stop.signal, nowMs: () => nowMs },
    hosts: { a: { address: '192.0.2.1' }, b: { address: '192.0.2.2' } },
    log: { ...silentLog, info: (text) => logged.push(text), warn: (text) => logged.push(text) },
    history: {
      save: () => {
        told.push('save');
        return saves();
      },
    },
    server: {
      copySource: async () => undefined,
      replaceData: async (copy) => {
        told.push('replace');
        await copy(place);
      },
    },
    fetchFrom: (asked) => {
      fetched = asked;
      told.push('fetch');
      return fetching.promise;
    },
  };
  copies = new Copies(options);
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the host's data is saved before a copy from the host that it follows replaces it", async () => {
  copies.begin('a');
  await settled();
  expect(told).toEqual(['save', 'replace', 'fetch']);
  expect(fetched).toMatchObject({ ...place, address: '192.0.2.1', port: 3307, tls, signal: stop.signal });
  fetching.resolve();
  await settled();
  expect(logged).toEqual(["ha: the data is a copy of a's"]);
});

test("nothing is replaced if the host's data cannot be saved", async () => {
  saves = async () => Promise.reject(new Error('the disk is full'));
  copies.begin('a');
  await settled();
  expect(told).toEqual(['save']);
  expect(logged).toEqual(['ha: no copy was made, and one is tried again in 5 s: the disk is full']);
});

test('one copy is fetched at a time, and the next one starts after a pause', async () => {
  copies.begin('a');
  copies.begin('a');
  await settled();
  expect(told).toEqual(['save', 'replace', 'fetch']);
  fetching.reject(new Error('no answer'));
  await settled();
  copies.begin('a');
  nowMs += 4_999;
  copies.begin('a');
  await settled();
  expect(told).toEqual(['save', 'replace', 'fetch']);
  nowMs += 1;
  copies.begin('a');
  await settled();
  expect(told).toEqual(['save', 'replace', 'fetch', 'save', 'replace', 'fetch']);
});

test('each failed copy in a row doubles the pause, up to five minutes, and its reason is known until one begins', async () => {
  const pauses = [5, 10, 20, 40, 80, 160, 300, 300];
  for (const [at, seconds] of pauses.entries()) {
    copies.begin('a');
    await settled();
    expect(told.filter((each) => each === 'fetch').length).toBe(at + 1);
    expect(copies.failure).toBeUndefined();
    fetching.reject(new Error('the link was cut'));
    await settled();
    fetching = Promise.withResolvers<void>();
    const text = `no copy was made, and one is tried again in ${seconds} s: the link was cut`;
    expect([copies.failure, logged.at(-1)]).toEqual([text, `ha: ${text}`]);
    nowMs += seconds * 1_000 - 1;
    copies.begin('a');
    nowMs += 1;
  }
  copies.begin('a');
  await settled();
  fetching.resolve();
  await settled();
  expect(copies.failure).toBeUndefined();
  fetching = Promise.withResolvers<void>();
  nowMs += 5_000;
  copies.begin('a');
  await settled();
  fetching.reject(new Error('again'));
  await settled();
  expect(copies.failure).toContain('in 5 s');
});

test('the progress is known during a fetch, and starts from zero for the next one', async () => {
  copies.begin('a');
  await settled();
  expect(copies.share).toBe(0);
  fetched?.onProgress?.(0.5);
  expect(copies.share).toBe(0.5);
  fetching.reject(new Error('no answer'));
  await settled();
  expect(copies.share).toBe(0);
});

test('the stop waits for the current copy', async () => {
  copies.begin('a');
  await settled();
  let hasStopped = false;
  const stopping = copies.stop().then(() => {
    hasStopped = true;
  });
  await settled();
  expect(hasStopped).toBe(false);
  fetching.reject(new Error('aborted'));
  await stopping;
  expect(hasStopped).toBe(true);
});

test('no copy is fetched from a host that offers none, or where a person makes the copies', async () => {
  copies.begin('b');
  copies.begin('unknown');
  new Copies({ ...options, settings: undefined }).begin('a');
  await settled();
  expect(told).toEqual([]);
});
