// A new document waits for its judgement. An operation that its client completes in the meantime is not executed.
// needs: processes
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../../support/machine/temporary-folder.ts';
import { Collector, TestGateway } from '../support/gateway.ts';

const gateway = new TestGateway('in-process');

afterEach(() => gateway.stop());

/** A document that takes about 30 ms to judge. */
function slowDocument(number: number): string {
  const each = (one: (index: number) => string) => Array.from({ length: 300 }, (_, index) => one(index)).join(' ');
  return `query Slow${number} { thing(id: "1") { ${each((index) => `...F${index}`)} } } ${each((index) => `fragment F${index} on Thing { name }`)}`;
}

test('an operation that is completed while its document is judged is not executed', async () => {
  await gateway.start();
  const client = gateway.client();
  const open = new Collector(client, 'subscription { thingChanges { cursor } }');
  await until(() => gateway.metric('tidegate_gateway_subscriptions').then((count) => count === 1));
  const slow = Array.from({ length: 10 }, (_, number) => gateway.query(slowDocument(number)));
  const mutation = new Collector(client, 'mutation { thingCreate(name: "never") { id } }');
  await new Promise((resolve) => setImmediate(resolve));
  mutation.cancel();
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(Array(10).fill(200));
  // The completed operation was ahead of this one in the queue.
  const next = new Collector(client, 'mutation { thingCreate(name: "next") { id name } }');
  await until(() => next.done);
  expect(next.items).toMatchObject([{ data: { thingCreate: { name: 'thing next' } } }]);
  expect(gateway.world.calls.get('thingCreate')).toBe(1);
  open.cancel();
});
