// The entities of GSLB through the graph: objects are created, shown, changed, used and deleted, and each change owes
// the right work.
import { expect, test } from '@jest/globals';
import { decodeUuid } from '../../../../../platform/values/ids.ts';
import { heldBy } from '../../../../../subgraphs/gslb/control/entities/project-store.ts';
import { resealSecrets } from '../../../../../subgraphs/gslb/control/reseal.ts';
import { monitorSecretPlace, openText } from '../../../../../subgraphs/gslb/control/stores/sealed-text.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, identity, makeWorld, projectA, projectB } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const world = forFile(() => makeWorld(graph, owner));
const owner = identity('MEMBER');
const admin = identity('ADMIN');

const owed = async (kind: string) =>
  (await graph.db.query<{ key: string }>('SELECT `key` FROM owed_work WHERE kind = ?', [kind])).map(({ key }) => key);

test('a name is shown with its pools, members, monitors, flavor and CMP object', async () => {
  const { gslb } = await graph.ask<{ gslb: unknown }>(
    ...([
      owner,
      `query ($id: ID!) { gslb(id: $id) { fqdn zoneName policy ttlSeconds noneUp pendingAction provisioningStatus operatingStatus flavor { name backend { id } backendType }
        pools { name minUp failback { mode } members { nodes { name addresses weight adminState verdict votes { vantagePointName } } }
          monitors { name checkType credentialsSet parameters { ... on GslbHttpParameters { method path } } } gslbs { nodes { fqdn } } } history { nodes { id } } } }`,
      { id: world.gslb },
    ] as const),
  );
  expect(gslb).toMatchObject({
    ...{ fqdn: 'shop.gslb.test', zoneName: 'gslb.test', policy: 'ROUND_ROBIN', ttlSeconds: 30, noneUp: 'ALL' },
    ...{ pendingAction: 'CREATE', provisioningStatus: 'PENDING', operatingStatus: 'UNKNOWN' },
    flavor: { name: 'usual', backend: null, backendType: 'ANSWERER' },
    pools: [
      {
        ...{ name: 'web', minUp: 1, failback: { mode: 'IMMEDIATE' }, gslbs: { nodes: [{ fqdn: 'shop.gslb.test' }] } },
        members: {
          nodes: [
            {
              name: 'one',
              addresses: ['203.0.113.7'],
              weight: 1,
              adminState: 'AUTO',
              votes: [{ vantagePointName: 'eu' }],
            },
          ],
        },
        monitors: [
          {
            ...{ name: 'web', checkType: 'HTTP', credentialsSet: false },
            parameters: { method: 'GET', path: expect.stringMatching(/^\//) },
          },
        ],
      },
    ],
  });
});

test('a created object owes a verdict on its members and a plan of its name', async () => {
  expect(await owed('gslb-judge')).toContain(decodeUuid('GslbPoolMember', world.member));
  expect(await owed('gslb-plan')).toContain(decodeUuid('Gslb', world.gslb));
});

test('a CMP object and a project list their names', async () => {
  const { gslbs } = await graph.ask<{ gslbs: { nodes: { cmpObject: { id: string } }[] } }>(
    ...([owner, '{ gslbs { nodes { cmpObject { id } } } }'] as const),
  );
  const id = gslbs.nodes[0]?.cmpObject.id;
  const { entities } = await graph.ask<{ entities: unknown[] }>(
    ...([
      owner,
      'query ($all: [_Any!]!) { entities: _entities(representations: $all) { ... on CmpObject { gslbs { nodes { fqdn } } } ... on Project { gslbs { nodes { fqdn } } } } }',
      {
        all: [
          { __typename: 'CmpObject', id },
          { __typename: 'Project', id: Buffer.from(`Project:${projectA}`).toString('base64url') },
          { __typename: 'Project', id: Buffer.from(`Project:${projectB}`).toString('base64url') },
        ],
      },
    ] as const),
  );
  const shown = { gslbs: { nodes: [{ fqdn: 'shop.gslb.test' }] } };
  expect(entities).toEqual([shown, shown, { gslbs: { nodes: [] } }]);
});

test("a project with GSLB objects says why it can't be deleted", async () => {
  expect(await heldBy(graph.db, projectA)).toEqual(['1 GSLBs', '1 GSLB pools', '1 GSLB monitors']);
  expect(await heldBy(graph.db, projectB)).toEqual([]);
});

test('an update keeps omitted fields, and refuses null for required ones', async () => {
  const change = (input: object) =>
    graph.mutate(
      'gslbUpdate',
      { id: world.gslb, ...input },
      owner,
      '{ policy ttlSeconds description pendingAction pools { name } }',
    );
  expect((await change({ policy: 'WEIGHTED', ttlSeconds: 60, description: 'a shop' })).entity).toMatchObject({
    ...{ policy: 'WEIGHTED', ttlSeconds: 60, description: 'a shop', pools: [{ name: 'web' }] },
    pendingAction: 'CREATE',
  });
  const refused = { code: 'INVALID_INPUT', field: ['input', 'ttlSeconds'] };
  expect((await change({ ttlSeconds: null })).told).toMatchObject([refused]);
});

test('a stored policy includes its steps, so that a plan can be made from it', async () => {
  const [row] = await graph.db.query<{ spec: string }>('SELECT spec FROM gslb');
  expect(JSON.parse(row?.spec ?? '{}')).toMatchObject({
    policy: { preset: 'WEIGHTED', steps: [{ step: 'WEIGHTED' }, { step: 'FIRST', count: 1 }] },
    noneUp: { do: 'ALL' },
  });
});

test("an administrator's state has an event, an end and a reason", async () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const set = await graph.mutate(
    ...([
      'gslbPoolMemberAdminStateSet',
      { id: world.member, state: 'DRAIN', until, reason: 'new kernel' },
      owner,
      '{ adminState adminUntil adminReason }',
    ] as const),
  );
  expect(set.entity).toMatchObject({ adminState: 'DRAIN', adminReason: 'new kernel' });
  const events = await graph.db.query(
    "SELECT from_status AS was, to_status AS now, reason FROM status_change WHERE kind = 'gslbPoolMember.adminState'",
  );
  expect(events).toEqual([{ was: 'AUTO', now: 'DRAIN', reason: 'new kernel' }]);
  await graph.make('gslbPoolMemberAdminStateSet', { id: world.member, state: 'AUTO' }, owner);
});

test('only a member that is up and waiting can be released', async () => {
  const release = () => graph.mutate('gslbPoolMemberRelease', { id: world.member }, owner);
  expect((await release()).faults).toEqual(['WRONG_STATE input.id']);
  await graph.db.execute("UPDATE gslb_pool_member SET verdict = 'UP', serving = 0, was_down = 1");
  expect((await release()).faults).toEqual([]);
  expect(await graph.db.query('SELECT released FROM gslb_pool_member')).toEqual([{ released: 1 }]);
});

test('an answer can be frozen and released', async () => {
  const freeze = (input: object) =>
    graph.mutate('gslbFreeze', { id: world.gslb, ...input }, owner, '{ frozenAt frozenReason }');
  expect((await freeze({ reason: 'a move' })).entity).toMatchObject({
    frozenReason: 'a move',
    frozenAt: expect.anything(),
  });
  const shown = '{ frozenAt frozenReason }';
  const thawed = await graph.mutate('gslbUnfreeze', { id: world.gslb, reason: 'done' }, owner, shown);
  expect(thawed.entity).toEqual({ frozenReason: null, frozenAt: null });
});

test("a monitor's credentials are sealed, never shown, resealed and removed", async () => {
  const id = await graph.make(
    ...([
      'gslbMonitorCreate',
      {
        ...{ name: 'secret', checkType: 'HTTP', targetPort: 80, authHosts: ['192.0.2.7'] },
        auth: { username: 'monitor', password: 'hunter2' },
      },
      owner,
    ] as const),
  );
  const uuid = decodeUuid('GslbMonitor', id) ?? '';
  const stored = async () =>
    (await graph.db.query<{ secret: string | null }>('SELECT secret FROM gslb_monitor WHERE id = ?', [uuid]))[0]
      ?.secret ?? null;
  const sealed = (await stored()) ?? '';
  expect(sealed).not.toContain('hunter2');
  expect(openSecret(graph.sealer, uuid, sealed)).toEqual({ username: 'monitor', password: 'hunter2', token: null });
  expect(() => openSecret(graph.sealer, newId(uuid), sealed)).toThrow();
  expect(() => openSecret(graph.sealer, uuid, sealed, { ...bound, authHosts: ['192.0.2.8'] })).toThrow();
  const options = { sealer: graph.sealer, keyId: 'another', openOlder: false };
  expect(await resealSecrets(graph.db, options)).toEqual({ resealed: 1, trusted: [], failed: [] });
  expect(openSecret(graph.sealer, uuid, (await stored()) ?? '')).toMatchObject({ password: 'hunter2' });
  expect((await graph.mutate('gslbMonitorUpdate', { id, fall: 3 }, owner, '{ credentialsSet }')).entity).toEqual({
    credentialsSet: true,
  });
  expect((await graph.mutate('gslbMonitorUpdate', { id, auth: null }, owner, '{ credentialsSet }')).entity).toEqual({
    credentialsSet: false,
  });
  await graph.make('gslbMonitorDelete', { id }, owner);
});

const bound = {
  ...{ type: 'HTTP' as const, targetHost: null, targetPort: 80, parameters: {} },
  authHosts: ['192.0.2.7'] as readonly string[],
};
const openSecret = (sealer: GslbGraph['sealer'], uuid: string, text: string, settings = bound): unknown =>
  JSON.parse(openText(sealer, text, monitorSecretPlace(uuid, settings)));
const newId = (uuid: string) => `${uuid.slice(0, -1)}${uuid.endsWith('0') ? '1' : '0'}`;

test('a repeated request with its key gets its first answer', async () => {
  const input = { name: 'again', idempotencyKey: 'once' };
  const first = await graph.make('gslbPoolCreate', input, owner);
  expect(await graph.make('gslbPoolCreate', input, owner)).toBe(first);
  await graph.make('gslbPoolDelete', { id: first, idempotencyKey: 'gone' }, owner);
  expect((await graph.mutate('gslbPoolDelete', { id: first, idempotencyKey: 'gone' }, owner)).faults).toEqual([]);
});

test('an object in use is not deleted; a deleted name waits until no server answers it', async () => {
  const refused = async (mutation: string, id: string, who = owner) =>
    (await graph.mutate(mutation, { id }, who)).faults;
  expect(await refused('gslbPoolDelete', world.pool)).toEqual(['IN_USE input.id']);
  expect(await refused('gslbMonitorDelete', world.monitor)).toEqual(['IN_USE input.id']);
  expect(await refused('gslbFlavorDelete', world.flavor, admin)).toEqual(['IN_USE input.id']);
  expect(await refused('dnsZoneDelete', world.zone, admin)).toEqual(['IN_USE input.id']);
  const gone = await graph.mutate('gslbDelete', { id: world.gslb }, owner);
  expect(gone.entity).toEqual({ id: world.gslb });
  expect(
    await graph.ask(owner, 'query ($id: ID!) { gslb(id: $id) { pendingAction provisioningStatus } }', {
      id: world.gslb,
    }),
  ).toEqual({ gslb: { pendingAction: 'DELETE', provisioningStatus: 'DELETING' } });
  await graph.db.execute(
    "UPDATE gslb SET provisioning_status = 'DELETED', action = 'NONE', live_fqdn = NULL, deleted_at = NOW(3)",
  );
  await graph.make('gslbPoolMonitorDetach', { monitorId: world.monitor, target: { poolId: world.pool } }, owner);
  expect(await refused('gslbMonitorDelete', world.monitor)).toEqual([]);
  expect(await refused('gslbPoolDelete', world.pool)).toEqual([]);
  expect(await refused('gslbFlavorDelete', world.flavor, admin)).toEqual([]);
  expect(await refused('gslbVantagePointDelete', world.vantagePoint, admin)).toEqual([]);
  expect(await refused('dnsZoneDelete', world.zone, admin)).toEqual([]);
  expect(await graph.db.query('SELECT 1 FROM gslb_pool_member WHERE deleted_at IS NULL')).toEqual([]);
});
