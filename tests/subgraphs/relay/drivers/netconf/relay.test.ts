// From the graph to a real netconfd and back: routes and entries are created, mapped, checked, adopted and deleted; a missing answer is
// settled by looking.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { netconfModules } from '../../../../../lab/netconf.ts';
import { Ncclient } from '../../../../support/servers/ncclient.ts';
import { describeWithNetconf } from '../../../../support/servers/netconf.ts';
import { call, type RelayNode, RelaySystem, registerDevice, settle, verify } from '../../support/relay-system.ts';

describeWithNetconf('netconf in the graph', (server) => {
  let system: RelaySystem;
  let node: RelayNode;
  let other: Ncclient;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    await registerDevice(node, server(), { name: 'router', driver: 'netconf', options: { modules: netconfModules } });
    other = await Ncclient.to(server());
  });
  afterAll(async () => {
    await other?.kill();
    await system.stop();
  });

  const on = { backend: { name: 'router' }, cmpObject: { type: 'tenant', externalId: '42' } };
  const relay = (operation: string, args: Record<string, unknown>, key: string) =>
    call(node, 'relayCall', { ...on, operation, arguments: args, idempotencyKey: key });
  const path = (peer: string) => `/lab-vpn:vpn/tunnel[site='berlin'][peer='${peer}']`;

  test('a static route: created by the typed mutation, verified, drifted, deleted by its mapping', async () => {
    const input = { ...on, idempotencyKey: 'route', destination: '192.0.2.0/24', nextHop: '198.51.100.1' };
    const made = await node.mutate('routerStaticRouteCreate', input);
    expect([made.userErrors, made.operation?.state]).toEqual([[], 'SUCCEEDED']);
    expect(made.mapping).toMatchObject({ mappingState: 'ACTIVE', objectKey: '192.0.2.0/24' });
    expect((await verify(node, made.mapping?.id))[0]).toBe('MATCHES');
    expect(await other.done('read')).toContain('<next-hop-address>198.51.100.1<');
    const gone = await call(node, 'delete', { idempotencyKey: 'd1', mappingId: made.mapping?.id });
    expect(gone.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'DELETED' }] });
    expect(await other.done('read')).not.toContain('192.0.2.0/24');
  });

  test('what ietf-routing has no word for is not supported, and nothing is sent', async () => {
    for (const more of [{ vrf: 'blue' }, { distance: 5 }]) {
      const input = { ...on, idempotencyKey: 'no', destination: '192.0.2.0/24', nextHop: '198.51.100.1', ...more };
      const refused = await node.mutate('routerStaticRouteCreate', input);
      expect(refused.userErrors).toMatchObject([{ code: 'NOT_SUPPORTED' }]);
    }
  });

  test('an entry: created, drifted by another client, adopted, deleted', async () => {
    const value = { mtu: 1_400, prefix: ['a'], cipher: 'lab-vpn:aes' };
    const made = await relay('entry.create', { path: path('paris'), value }, 'entry');
    expect(made.userErrors).toEqual([]);
    expect(made).toMatchObject({
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE', objectKey: path('paris') },
    });
    expect((await verify(node, made.mapping?.id))[0]).toBe('MATCHES');
    const base = 'urn:ietf:params:xml:ns:netconf:base:1.0';
    const config = `<config xmlns="${base}"><vpn xmlns="${netconfModules['lab-vpn']}"><tunnel><site>berlin</site><peer>paris</peer><mtu>900</mtu></tunnel></vpn></config>`;
    const edited = async (text: string) => {
      await other.done('edit', { config: text });
      await other.done('commit');
    };
    await edited(config);
    expect((await verify(node, made.mapping?.id))[0]).toBe('DRIFTED');
    const drifted = await call(node, 'delete', { idempotencyKey: 'd0', mappingId: made.mapping?.id });
    expect(drifted.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'CHANGED' } });
    const rome = config.replace('>paris<', '>rome<');
    await edited(rome);
    const adopted = await node.mutate<{ mapping: { id: string; wantedSettings: unknown } }>(
      'mappingAdopt',
      { ...on, idempotencyKey: 'adopt', resource: 'entry', scope: '', objectKey: path('rome') },
      'mapping { id wantedSettings { name value } } userErrors { message }',
    );
    expect(adopted.mapping.wantedSettings).toEqual([{ name: 'mtu', value: '***' }]);
    await edited(rome.replace('900', '901'));
    const byMapping = await call(node, 'delete', { idempotencyKey: 'd1b', mappingId: adopted.mapping.id });
    const byCall = await relay('entry.delete', { path: path('rome') }, 'd1c');
    for (const { operation } of [byMapping, byCall])
      expect(operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'CHANGED' } });
    expect(await other.done('read')).toContain('901');
    await edited(rome);
    const gone = await call(node, 'delete', { idempotencyKey: 'd2', mappingId: adopted.mapping.id });
    expect(gone.operation).toMatchObject({ state: 'SUCCEEDED' });
    expect(await other.done('read')).not.toContain('rome');
  });

  test('a module that the backend does not name is refused with its argument', async () => {
    const refused = await relay('entry.create', { path: '/acme:things', value: {} }, 'unnamed');
    expect(refused.userErrors).toMatchObject([
      { code: 'INVALID_ARGUMENTS', field: ['input', 'arguments', 'path'], message: expect.stringContaining('acme') },
    ]);
  });

  test('a cut session is unknown, and settled by the mark', async () => {
    await server().faults.set({ drop: 'after', times: 1 });
    const cut = await relay('entry.create', { path: path('oslo'), value: { mtu: 1_300 }, mark: 'description' }, 'cut');
    expect(cut.operation?.state).toBe('UNKNOWN');
    const settled = await settle(node, { id: cut.operation?.id, idempotencyKey: 'settle-cut' });
    expect(settled.operation).toMatchObject({ state: 'SUCCEEDED' });
  });
});
