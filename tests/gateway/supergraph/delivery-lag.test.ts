// Metrics for the lag of events: by subscription field, and while an event is stuck.
// needs: processes
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../../support/machine/temporary-folder.ts';
import { Collector, modes, TestGateway } from '../support/gateway.ts';

describe.each(modes)('lag of events, subgraphs %s', (mode) => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await new TestGateway(mode).start();
  });
  afterEach(() => gateway.stop());

  const values = async (name: string) =>
    ((await gateway.registry.getSingleMetric(`tidegate_gateway_event_${name}`)?.get())?.values ?? []) as readonly {
      readonly metricName?: string;
      readonly labels: Readonly<Record<string, unknown>>;
      readonly value: number;
    }[];
  const counted = async (start: string) =>
    (await values('lag_seconds'))
      .filter(({ metricName, labels }) => metricName?.endsWith('_count') === true && labels.start === start)
      .map(({ labels, value }) => [labels.feed, value]);
  const summed = async () =>
    (await values('lag_seconds')).find(({ metricName }) => metricName?.endsWith('_sum') === true)?.value ?? 0;
  const waiting = async () => (await values('waiting_seconds')).map(({ labels, value }) => [labels.feed, value]);

  test('an event is counted under the name of its field, whatever alias the client uses', async () => {
    const collector = new Collector(
      gateway.client(),
      'subscription Mine { anything: thingChanges { thing { id price } } }',
    );
    await until(() => collector.items.length === 1);
    gateway.world.log.append('a');
    await until(() => collector.ids.length === 1);
    expect(await counted('now')).toEqual([['thingChanges', 2]]);
    expect(await waiting()).toEqual([['thingChanges', 0]]);
  });

  test('events of a client that resumes after a cursor are counted separately', async () => {
    for (const id of ['a', 'b', 'c']) gateway.world.log.append(id);
    const after = gateway.world.log.cursorAt(0);
    const collector = new Collector(
      gateway.client(),
      `subscription { thingChanges(after: "${after}") { thing { id price } } }`,
    );
    await until(() => collector.ids.length === 3);
    expect(await counted('cursor')).toEqual([['thingChanges', 3]]);
    expect(await counted('now')).toEqual([]);
  });

  test('an event that waits for another subgraph first has an age, and then a lag', async () => {
    const collector = new Collector(gateway.client(), 'subscription { thingChanges { thing { id price } } }');
    await until(() => collector.items.length === 1);
    const before = await summed();
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    gateway.world.beforePrice = () => released;
    gateway.world.log.append('stuck');
    gateway.world.log.append('behind it');
    await until(async () =>
      (await waiting()).some(([feed, seconds]) => feed === 'thingChanges' && Number(seconds) > 0.1),
    );
    expect(collector.ids).toEqual([]);
    expect(await counted('now')).toEqual([['thingChanges', 1]]);
    release();
    await until(() => collector.ids.length === 2);
    expect(await counted('now')).toEqual([['thingChanges', 3]]);
    expect((await summed()) - before).toBeGreaterThan(0.1);
    expect(await waiting()).toEqual([['thingChanges', 0]]);
  });
});
