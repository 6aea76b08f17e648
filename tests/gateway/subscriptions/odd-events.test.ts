// Arbitrary events from a subgraph of another team. The stream is resumed after them.
import { expect, test } from '@jest/globals';
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

const good: FormattedExecutionResult = {
  data: { feed: { [cursorAlias]: 'c1', id: 'e1' } },
  extensions: { position: { timeline: 1, seq: 1 } },
};

/** The first stream has only this event, and the second one has the good event. */
function readerAfter(odd: unknown) {
  const events = [odd, good];
  const follower = {
    subscription: {
      supergraphId: Symbol('test'),
      ...{ key: 'k', planKey: 'k', document: parse('subscription { feed { id } }'), variables: {} },
      ...{ isFiltered: false, filter: openFilter, feed: 'feed', rootKey: 'feed', after: undefined },
    },
    plan: {
      ...{ subgraph: 's', text: '', document: parse('subscription { feed { id } }'), operationName: undefined },
      variables: new Set<string>(),
      complete: async (given: readonly FormattedExecutionResult[]) => structuredClone(given) as ExecutionResult[],
    },
    link: {
      name: 's',
      execute: async () => ({}),
      subscribe: async () => {
        const waiting = events.splice(0, 1);
        return pullStream<FormattedExecutionResult>({
          next: async () =>
            waiting.length > 0 ? (waiting.shift() as FormattedExecutionResult) : new Promise(() => {}),
          end: () => {},
        });
      },
      ready: async () => true,
      close: async () => {},
    },
    identity: testIdentity('ann'),
    lag: new DeliveryLag(new Registry()),
    log: pino({ level: 'silent' }),
    onResume: () => {},
  };
  const stream = new SharedStream({
    source: (request) => followUpstream(follower, request),
    ...{ capacity: 8, mostLength: 1_000 },
    onEmpty: () => {},
    onUpstreams: () => {},
    onFault: () => {},
  });
  return stream.follow(undefined);
}

test.each([
  ['errors that are a text', { errors: 'out of order' }],
  ['errors that are an object', { errors: { message: 'out of order' } }],
  ['an error that is null', { errors: [null] }],
  ['an error without a message', { errors: [{ extensions: { code: 'FORBIDDEN' } }] }],
  ['no errors', { errors: [] }],
  ['data without a cursor', { data: { feed: { id: 'e0' } } }],
])('an event with %s does not end the stream', async (_, odd) => {
  const reader = readerAfter(odd);
  expect((await reader.next())?.cursor.text).toBe('c1');
  reader.close();
});
