// Events that arrive while others are being completed are completed together, with one request to each other subgraph.
// needs: processes
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CodedError } from '../../../platform/errors/errors.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { Collector, modes, TestGateway } from '../support/gateway.ts';

describe.each(modes)('events that are completed together, subgraphs %s', (mode) => {
  let gateway: TestGateway;
  let release: () => void;
  let collector: Collector;

  /** The first event waits for its price, and five more arrive in the meantime. */
  beforeEach(async () => {
    gateway = await new TestGateway(mode).start();
    collector = new Collector(
      gateway.client(),
      'subscription { thingChanges { cursor thing { id price again: price } } }',
    );
    await until(() => collector.items.length === 1);
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { world } = gateway;
    world.beforePrice = (id) => (id === 'first' ? released : Promise.resolve());
    world.log.append('first');
    await until(() => world.waiting > 0);
    for (let n = 1; n <= 5; n += 1) {
      world.prices.set(`t${n}`, n);
      world.log.append(`t${n}`);
    }
  });
  afterEach(() => gateway.stop());

  test('one request covers them, and they are delivered in their order', async () => {
    const { world } = gateway;
    world.batches.length = 0;
    release();
    await until(() => collector.ids.length === 6);
    expect(collector.ids).toEqual(['first', 't1', 't2', 't3', 't4', 't5']);
    expect(collector.items.slice(-5).map(({ data }) => data.thingChanges.thing.price)).toEqual([1, 2, 3, 4, 5]);
    expect(world.batches.length).toBeLessThan(6);
    expect(world.batches.some((batch) => batch.length > 1)).toBe(true);
    const cursors = collector.items.map(({ data }) => data.thingChanges.cursor);
    expect(new Set(cursors).size).toBe(cursors.length);
  });

  test('an error affects only its own event', async () => {
    const { world } = gateway;
    world.beforePrice = async (id) => {
      if (id === 't3') throw new CodedError('BUSY', 'no price now');
    };
    release();
    await until(() => collector.ids.length === 6);
    const byId = new Map(collector.items.slice(1).map((item) => [item.data.thingChanges.thing.id, item]));
    expect(byId.get('t3').data.thingChanges.thing).toEqual({ id: 't3', price: null, again: null });
    expect(
      byId
        .get('t3')
        .errors.map(({ path }: { path: unknown[] }) => path.join('.'))
        .sort(),
    ).toEqual(['thingChanges.thing.again', 'thingChanges.thing.price']);
    for (const id of ['first', 't1', 't2', 't4', 't5']) expect(byId.get(id).errors).toBeUndefined();
  });

  test('events of the same thing each have their own answer', async () => {
    const { world } = gateway;
    for (let n = 0; n < 3; n += 1) world.log.append('t1');
    world.beforePrice = async (id) => {
      if (id === 't1') throw new CodedError('BUSY', 'no price now');
    };
    release();
    await until(() => collector.ids.length === 9);
    const ofT1 = collector.items.filter(({ data }) => data.thingChanges.thing?.id === 't1');
    expect(ofT1).toHaveLength(4);
    for (const item of ofT1) expect(item.errors).toHaveLength(2);
  });

  test('a lost subgraph costs each of them its fields', async () => {
    if (mode !== 'HTTP') return;
    await gateway.served('beta').stop();
    await until(() => collector.ids.length === 6);
    for (const item of collector.items.slice(-5)) {
      expect(item.data.thingChanges.thing.price).toBeNull();
      expect(item.errors).toHaveLength(2);
      expect(item.errors[0]).toMatchObject({ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } });
    }
  });
});
