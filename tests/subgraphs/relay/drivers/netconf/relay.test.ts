// From the graph to a real netconfd and back. Routes and entries are created, mapped, checked, adopted and deleted, and
// a probe settles a missing answer.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { netconfModules } from '../../../../../lab/netconf.ts';
import { Ncclient } from '../../../../support/servers/ncclient.ts';
import { describeWithNetconf } from '../../../../support/servers/netconf.ts';
import { GraphCalls, lostCall, mappedLife } from '../../support/mapped-life.ts';
import { type CallShape, RelaySystem, registerDevice, verify } from '../../support/relay-system.ts';

describeWithNetconf('netconf in the graph', (server) => {
  let system: RelaySystem;
  let calls: GraphCalls;
  let other: Ncclient;

  beforeAll(async () => {
    system = await RelaySystem.start();
    const node = await system.node();
    calls = new GraphCalls(node, 'router');
    await registerDevice(node, server(), { name: 'router', driver: 'netconf', options: { modules: netconfModules } });
    other = await Ncclient.to(server());
  });
  afterAll(async () => {
    await other?.kill();
    await system.stop();
  });

  const path = (peer: string) => `/lab-vpn:vpn/tunnel[site='berlin'][peer='${peer}']`;

  test('a static route through its life, by its typed mutation', () =>
    mappedLife(calls, {
      make: ['routerStaticRouteCreate', { destination: '192.0.2.0/24', nextHop: '198.51.100.1' }],
      mapping: { objectKey: '192.0.2.0/24' },
      made: async () => expect(await other.done('read')).toContain('<next-hop-address>198.51.100.1<'),
      gone: async () => expect(await other.done('read')).not.toContain('192.0.2.0/24'),
    }));

  test("a setting that ietf-routing can't express is not supported, and nothing is sent", async () => {
    for (const more of [{ vrf: 'blue' }, { distance: 5 }]) {
      const route = { destination: '192.0.2.0/24', nextHop: '198.51.100.1', ...more };
      const refused = await calls.make('routerStaticRouteCreate', route);
      expect(refused.userErrors).toMatchObject([{ code: 'NOT_SUPPORTED' }]);
    }
  });

  test('an entry: created, drifted by another client, adopted, deleted', async () => {
    const value = { mtu: 1_400, prefix: ['a'], cipher: 'lab-vpn:aes' };
    const made = await calls.make('entry.create', { path: path('paris'), value });
    expect(made.userErrors).toEqual([]);
    expect(made).toMatchObject({
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE', objectKey: path('paris') },
    });
    expect((await verify(calls.node, made.mapping?.id))[0]).toBe('MATCHES');
    const base = 'urn:ietf:params:xml:ns:netconf:base:1.0';
    const config = `<config xmlns="${base}"><vpn xmlns="${netconfModules['lab-vpn']}"><tunnel><site>berlin</site><peer>paris</peer><mtu>900</mtu></tunnel></vpn></config>`;
    const edited = async (text: string) => {
      await other.done('edit', { config: text });
      await other.done('commit');
    };
    await edited(config);
    expect((await verify(calls.node, made.mapping?.id))[0]).toBe('DRIFTED');
    const drifted = await calls.remove(made);
    expect(drifted.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'CHANGED' } });
    const rome = config.replace('>paris<', '>rome<');
    await edited(rome);
    const adopted = await calls.node.mutate<{ mapping: { id: string; wantedSettings: unknown } }>(
      'mappingAdopt',
      {
        ...{ backend: { name: 'router' }, cmpObject: { type: 'tenant', externalId: '42' }, idempotencyKey: 'adopt' },
        ...{ resource: 'entry', scope: '', objectKey: path('rome') },
      },
      'mapping { id wantedSettings { name value } } userErrors { message }',
    );
    expect(adopted.mapping.wantedSettings).toEqual([{ name: 'mtu', value: '***' }]);
    await edited(rome.replace('900', '901'));
    const byMapping = await calls.remove(adopted as unknown as CallShape);
    const byCall = await calls.make('entry.delete', { path: path('rome') });
    for (const { operation } of [byMapping, byCall])
      expect(operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'CHANGED' } });
    expect(await other.done('read')).toContain('901');
    await edited(rome);
    const gone = await calls.remove(adopted as unknown as CallShape);
    expect(gone.operation).toMatchObject({ state: 'SUCCEEDED' });
    expect(await other.done('read')).not.toContain('rome');
  });

  test('a module that the backend does not list is refused with its argument', async () => {
    const refused = await calls.make('entry.create', { path: '/acme:things', value: {} });
    expect(refused.userErrors).toMatchObject([
      { code: 'INVALID_ARGUMENTS', field: ['input', 'arguments', 'path'], message: expect.stringContaining('acme') },
    ]);
  });

  test('a call on a cut session is unknown, and settled by the mark', async () => {
    await server().faults.set({ drop: 'after', times: 1 });
    const entry = { path: path('oslo'), value: { mtu: 1_300 }, mark: 'description' };
    await lostCall(calls, ['entry.create', entry], 'PRESENT');
  });
});
