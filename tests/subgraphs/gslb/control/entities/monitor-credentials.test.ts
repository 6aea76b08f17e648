// A monitor's credentials go only where their owner allowed. A project member who does not know them can't redirect
// them to another host, port or service.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeUuid } from '../../../../../platform/values/ids.ts';
import { readVantagePoints } from '../../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { TargetTable } from '../../../../../subgraphs/gslb/control/targets/target-table.ts';
import { documentOf } from '../../../../../subgraphs/gslb/control/targets/targets.ts';
import { nameOfKey } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { GslbGraph, type Input, identity, openRight } from '../../support/gslb-graph.ts';

let graph: GslbGraph;
let targets: TargetTable;
const owner = identity('MEMBER');
const other = identity('MEMBER');
const auth = { username: 'ann', password: 'a-password-of-the-test' };
const authHosts = ['192.0.2.0/24', 'app.example.com', '2001:db8::7'];
const given = { checkType: 'HTTP', auth, authHosts, targetPort: 8080, parameters: { http: { path: '/own' } } };

beforeAll(async () => {
  graph = await GslbGraph.open();
  const place = { region: 'eu', latitude: 50, longitude: 8 };
  await graph.make('gslbVantagePointCreate', { name: 'eu', ...place });
  const { db, wake, log, egress, sealer } = graph;
  targets = new TargetTable({ db, wake, log, egress, sealer });
  targets.start();
});
afterAll(async () => {
  await targets?.stop();
  await graph?.stop();
});

const faults = async (mutation: string, input: Input, who = other) => (await graph.mutate(mutation, input, who)).faults;
const poolWith = async (name: string, members: Readonly<Record<string, Input>>) => {
  const poolId = await graph.make('gslbPoolCreate', { name }, other);
  const ids: Record<string, string> = {};
  for (const [member, input] of Object.entries(members))
    ids[member] = await graph.make('gslbPoolMemberCreate', { poolId, name: member, servicePort: 80, ...input }, other);
  return { poolId, ids };
};

/** The documents that checkers get for a member, after the table reads the current rows. */
async function documentsOf(memberId: string) {
  const uuid = decodeUuid('GslbPoolMember', memberId);
  const [vantagePoint] = await readVantagePoints(graph.db);
  if (vantagePoint === undefined) throw new Error('no vantage point');
  return [...(targets.all() ?? [])]
    .filter((target) => targets.isFor(vantagePoint, target))
    .map((target) => documentOf(nameOfKey(target.key), target, target.check))
    .filter(({ member }) => member === uuid);
}

test('credentials need the hosts and the port to which they may be sent', async () => {
  const { authHosts: _, ...withoutHosts } = given;
  const { auth: __, ...withoutAuth } = given;
  const create = (input: Input) => faults('gslbMonitorCreate', { name: 'refused', ...input }, owner);
  expect(await create(withoutHosts)).toEqual(['INVALID_INPUT input.authHosts']);
  expect(await create({ ...given, authHosts: ['192.0.2.0/33'] })).toEqual(['INVALID_INPUT input.authHosts.0']);
  expect(await create({ ...given, targetPort: null })).toEqual(['INVALID_INPUT input.targetPort']);
  expect(await create(withoutAuth)).toEqual(['INVALID_INPUT input.authHosts']);
  expect(await create({ checkType: 'TCP', auth })).toEqual(['INVALID_INPUT input.auth']);
});

test('a name is not enough if the owner of its target would get the credentials', async () => {
  const zone = { name: 'gslb.test', rights: [openRight('gslb.test')] };
  await graph.make('dnsZoneCreate', zone);
  const name = (host: string, input: Input = {}) =>
    faults(
      'gslbMonitorCreate',
      { name: `by-${Math.random().toString(36).slice(2)}`, ...given, authHosts: [host], ...input },
      owner,
    );
  const https = { checkType: 'HTTPS', parameters: { https: {} } };
  expect(await name('app.example.com')).toEqual(['INVALID_INPUT input.authHosts']);
  expect(await name('app.example.com', { checkType: 'HTTPS', parameters: { https: { verify: false } } })).toEqual([
    'INVALID_INPUT input.authHosts',
  ]);
  expect(await name('app.example.com', https)).toEqual([]);
  expect(await name('Shop.gslb.test', https)).toEqual(['INVALID_INPUT input.authHosts']);
  expect(await name('x', { ...https, authHosts: ['shop.gslb.test', '192.0.2.0/24'] })).toEqual([]);
});

test('targets for checkers limit where a name may lead', async () => {
  const monitorId = await graph.make('gslbMonitorCreate', { name: 'leads', ...given }, owner);
  const named = await poolWith('leads', { one: { memberType: 'FQDN', cname: 'app.example.com' } });
  const plain = await poolWith('leads-not', { one: { addresses: ['192.0.2.11'] } });
  for (const { poolId } of [named, plain])
    await graph.make('gslbPoolMonitorAttach', { monitorId, target: { poolId } }, other);
  const [byName, byAddress] = [named.ids.one ?? '', plain.ids.one ?? ''];
  await waitFor(
    'the targets',
    async () => (await documentsOf(byName)).length + (await documentsOf(byAddress)).length === 2,
  );
  const blocks = { authBlocks: ['192.0.2.0/24', '2001:db8::7'] };
  expect(await documentsOf(byName)).toMatchObject([{ secret: auth, ...blocks }]);
  expect((await documentsOf(byAddress))[0]).not.toHaveProperty('authBlocks');
  // Rows from before name ownership had to be proven.
  const sql = `UPDATE gslb_monitor SET spec = JSON_SET(spec, '$.authHosts', JSON_ARRAY('app.example.com')) WHERE id = ?`;
  await graph.db.execute(sql, [decodeUuid('GslbMonitor', monitorId) ?? '']);
  await graph.mutate('gslbPoolUpdate', { id: named.poolId, description: 'look' }, other);
  await waitFor('no target', async () => (await documentsOf(byName)).length === 0);
});

test('members elsewhere are refused by every mutation that could add them', async () => {
  const monitorId = await graph.make('gslbMonitorCreate', { name: 'members', ...given }, owner);
  const inside = await poolWith('inside', { one: { addresses: ['192.0.2.7', '2001:db8::7'] } });
  const named = await poolWith('named', { one: { memberType: 'FQDN', cname: 'App.example.com' } });
  const outside = await poolWith('outside', { one: { addresses: ['192.0.2.8', '203.0.113.66'] } });
  const attach = (input: Input) => faults('gslbPoolMonitorAttach', { monitorId, target: input });
  expect(await attach({ poolId: inside.poolId })).toEqual([]);
  expect(await attach({ poolId: named.poolId })).toEqual([]);
  expect(await attach({ poolId: outside.poolId })).toEqual(['INVALID_INPUT input.monitorId']);
  expect(await attach({ memberId: outside.ids.one })).toEqual(['INVALID_INPUT input.monitorId']);
  const created = { poolId: inside.poolId, name: 'mine', servicePort: 80 };
  expect(await faults('gslbPoolMemberCreate', { ...created, addresses: ['203.0.113.66'] })).toEqual([
    'INVALID_INPUT input.addresses.0',
  ]);
  const moved = { id: named.ids.one, cname: 'mine.example.com' };
  expect(await faults('gslbPoolMemberUpdate', moved)).toEqual(['INVALID_INPUT input.cname']);
  const added = { id: inside.ids.one, addresses: ['192.0.2.7', '203.0.113.66'] };
  expect(await faults('gslbPoolMemberUpdate', added)).toEqual(['INVALID_INPUT input.addresses.1']);
});

test("only a caller who sends the credentials again can change their destination and form, and members can't set it", async () => {
  const id = await graph.make('gslbMonitorCreate', { name: 'bound', ...given }, owner);
  const parameters = { hostHeader: 'mine.example.com', path: '/mine' };
  const { poolId, ids } = await poolWith('bound', {
    one: { addresses: ['192.0.2.9'], parameters: { http: parameters } },
  });
  await graph.make('gslbPoolMonitorAttach', { monitorId: id, target: { poolId } }, other);
  const update = (input: Input) => faults('gslbMonitorUpdate', { id, ...input });
  for (const change of [
    { authHosts: [...authHosts, '203.0.113.66'] },
    { targetHost: '203.0.113.66' },
    { targetPort: 8081 },
    { parameters: { http: parameters } },
  ])
    expect([change, await update(change)]).toEqual([change, ['CREDENTIALS_REQUIRED input.auth']]);
  expect(await update({ fall: 3 })).toEqual([]);
  expect(await update({ authHosts: ['app.example.com'], auth })).toEqual(['INVALID_INPUT input.authHosts']);
  await waitFor('the target', async () => (await documentsOf(ids.one ?? '')).length === 1);
  expect(await documentsOf(ids.one ?? '')).toMatchObject([
    { hosts: ['192.0.2.9'], port: 8080, parameters: { path: '/own' }, secret: auth },
  ]);
  expect(await update({ auth: null })).toEqual([]);
  const without = '{ credentialsSet authHosts }';
  expect((await graph.mutate('gslbMonitorUpdate', { id, targetPort: null }, other, without)).entity).toEqual({
    credentialsSet: false,
    authHosts: [],
  });
  await waitFor('no secret', async () => (await documentsOf(ids.one ?? '')).every(({ port }) => port === 80));
  expect(await documentsOf(ids.one ?? '')).toMatchObject([{ parameters }]);
  expect((await documentsOf(ids.one ?? ''))[0]).not.toHaveProperty('secret');
});

test("the credentials can't be decrypted for a row with another destination, nor for addresses added later", async () => {
  const id = await graph.make('gslbMonitorCreate', { name: 'stored', ...given }, owner);
  const { poolId, ids } = await poolWith('stored', { one: { addresses: ['192.0.2.10'] } });
  await graph.make('gslbPoolMonitorAttach', { monitorId: id, target: { poolId } }, other);
  const told = async () => (await documentsOf(ids.one ?? '')).length;
  await waitFor('the target', async () => (await told()) === 1);
  // Following a load balancer changes addresses without a request.
  const follow = (address: string) =>
    graph.db.execute(`UPDATE gslb_pool_member SET spec = JSON_SET(spec, '$.addresses[0]', ?) WHERE id = ?`, [
      ...[address, decodeUuid('GslbPoolMember', ids.one ?? '') ?? ''],
    ]);
  const look = () => graph.mutate('gslbPoolUpdate', { id: poolId, description: `${Math.random()}` }, other);
  await follow('203.0.113.66');
  await look();
  await waitFor('no target outside', async () => (await told()) === 0);
  await follow('192.0.2.10');
  await look();
  await waitFor('the target again', async () => (await told()) === 1);
  await graph.db.execute(`UPDATE gslb_monitor SET spec = JSON_SET(spec, '$.targetPort', 8081) WHERE id = ?`, [
    decodeUuid('GslbMonitor', id) ?? '',
  ]);
  await look();
  await waitFor('no target for another place', async () => (await told()) === 0);
});
