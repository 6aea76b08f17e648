// An event that can't be completed. Its readers get errors with its cursor, and the stream continues after it.
import { describe, expect, test } from '@jest/globals';
import { type ExecutionResult, type FormattedExecutionResult, parse } from 'graphql';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { openFilter } from '../../../gateway/access/feed-filter.ts';
import { SharedStream } from '../../../gateway/subscriptions/shared-stream.ts';
import { followUpstream } from '../../../gateway/subscriptions/upstream.ts';
import { DeliveryLag } from '../../../gateway/supergraph/delivery-lag.ts';
import { cursorAlias } from '../../../platform/events/cursor.ts';
import { pullStream } from '../../../platform/work/pull-stream.ts';
import { testIdentity } from '../support/gateway.ts';

const event = (seq: number): FormattedExecutionResult => ({
  data: { feed: { [cursorAlias]: `c${seq}`, id: `e${seq}` } },
  extensions: { position: { timeline: 1, seq } },
});

/** A reader of a stream. `complete` completes its events 1, 2 and 3. */
function readerOf(complete: (event: FormattedExecutionResult) => Promise<ExecutionResult>) {
  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
  const document = parse('subscription { feed { id } }');
  const events = [event(1), event(2), event(3)];
  const upstream = {
    subscription: {
      supergraphId: Symbol('test'),
      ...{ key: 'k', planKey: 'k', document, variables: {}, isFiltered: false, filter: openFilter },
      ...{ feed: 'feed', rootKey: 'feed', after: undefined },
    },
    plan: {
      ...{ subgraph: 's', text: '', document, operationName: undefined, variables: new Set<string>() },
      complete: (given: readonly FormattedExecutionResult[]) => Promise.all(given.map(complete)),
    },
    link: {
      name: 's',
      execute: async () => ({}),
      subscribe: async () =>
        pullStream<FormattedExecutionResult>({
          next: () => (events.length > 0 ? Promise.resolve(events.shift()) : new Promise(() => {})),
          end: () => {},
        }),
      ready: async () => true,
      close: async () => {},
    },
    identity: testIdentity('ann'),
    lag: new DeliveryLag(new Registry()),
    log,
    onResume: () => {},
  };
  const stream = new SharedStream({
    source: (request) => followUpstream(upstream, request),
    ...{ capacity: 8, mostLength: 1_000 },
    onEmpty: () => {},
    onUpstreams: () => {},
    onFault: () => {},
  });
  return { reader: stream.follow(undefined), lines };
}

describe.each<[string, () => Promise<ExecutionResult>, { code: string; logged: boolean }]>([
  ['throws', () => Promise.reject(new Error('secret inner text')), { code: 'INTERNAL', logged: true }],
  [
    "has no text, since a value can't be serialised",
    async () => ({ data: { feed: { id: 1n } } }),
    { code: 'INTERNAL', logged: true },
  ],
  ['has no data and no errors', async () => ({}), { code: 'INTERNAL', logged: false }],
])('a completion that %s', (_, fail, { code, logged }) => {
  test('is passed on as an error with the cursor, and the next event follows', async () => {
    const { reader, lines } = readerOf(async (given) =>
      JSON.stringify(given.data).includes('e2') ? fail() : (structuredClone({ data: given.data }) as ExecutionResult),
    );
    const items = [await reader.next(), await reader.next(), await reader.next()];
    reader.close();
    expect(items.map((item) => item?.cursor.text)).toEqual(['c1', 'c2', 'c3']);
    const [first, second, third] = items.map((item): unknown => JSON.parse(item?.text ?? ''));
    expect([first, third]).toEqual([{ data: { feed: { id: 'e1' } } }, { data: { feed: { id: 'e3' } } }]);
    expect(second).toMatchObject({ data: null, errors: [{ extensions: { code, cursor: 'c2' } }] });
    expect(items[1]?.checkpoint).toBe(false);
    expect(JSON.stringify(second)).not.toContain('secret');
    expect(lines.length > 0).toBe(logged);
  });
});

test('errors without data keep their codes, and get the cursor', async () => {
  const errors = [{ message: 'away', extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'beta' } }];
  const { reader } = readerOf(async () => ({ errors, data: null }) as unknown as ExecutionResult);
  const item = await reader.next();
  reader.close();
  expect(JSON.parse(item?.text ?? '')).toEqual({
    data: null,
    errors: [{ message: 'away', extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'beta', cursor: 'c1' } }],
  });
});
