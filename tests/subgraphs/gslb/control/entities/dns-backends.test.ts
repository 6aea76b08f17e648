// DNS backends and their zones through the graph: storage, display, sealed secrets, refusals, and protection while in
// use.
import { expect, test } from '@jest/globals';
import { openSecret } from '../../../../../dns/backends/backend-secret.ts';
import { readBackend } from '../../../../../dns/backends/backend-store.ts';
import { readZoneNamed } from '../../../../../dns/backends/zone-store.ts';
import { decodeUuid, encodeId } from '../../../../../platform/values/ids.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, type Input, identity, makeWorld, openRight, projectB } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const world = forFile(() => makeWorld(graph));
const admin = identity('ADMIN');
const keySecret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const fingerprint = `SHA256:${'A'.repeat(43)}`;

const rfc2136 = (change: Input = {}): Input => ({
  ...{ name: 'knot', backendType: 'RFC2136', rfc2136: { servers: ['203.0.113.53:53'], keyName: 'tidegate' } },
  ...{ credentials: { keySecret }, ...change },
});
const powerdnsServer = { url: 'https://203.0.113.54:8081', dns: '203.0.113.54:53', certificateSha256: fingerprint };
const powerdns = (change: Input = {}): Input => ({
  ...{ name: 'pdns', backendType: 'POWERDNS', powerdns: { servers: [powerdnsServer] }, credentials: { apiKey: 'key' } },
  ...change,
});

const designate = (change: Input = {}): Input => ({
  ...{ name: 'designate', backendType: 'DESIGNATE', credentials: { password: 'password' } },
  designate: {
    ...{ url: 'https://203.0.113.56:9001', authUrl: 'https://203.0.113.56:5000/v3', username: 'dns', project: 'dns' },
    ...{ certificateSha256: fingerprint, ...change },
  },
});

/** Removes the object and checks that the graph no longer shows it. */
async function remove(mutation: string, input: Input): Promise<void> {
  expect(await graph.mutate(mutation, input)).toEqual({ faults: [], told: [], entity: { id: input.id } });
}

const stored = async (id: string) => readBackend(graph.db, decodeUuid('DnsBackend', id) ?? '');

test('a backend shows its servers and capabilities, but its secret to nobody', async () => {
  const id = await graph.make('dnsBackendCreate', powerdns());
  const { one, list } = await graph.ask<{ one: unknown; list: { nodes: { id: string }[] } }>(
    admin,
    `query ($id: ID!) { one: dnsBackend(id: $id) { name backendType version credentialsSet rfc2136 { keyName }
      powerdns { servers { url dns certificateSha256 caCertificates } transferKeyName }
      capabilities { recordTypes policies makesZones } servers { place serverState message } zones { nodes { id } } }
      list: dnsBackends { nodes { id } } }`,
    { id },
  );
  expect(one).toEqual({
    ...{ name: 'pdns', backendType: 'POWERDNS', version: 1, credentialsSet: true, rfc2136: null },
    powerdns: { servers: [{ ...powerdnsServer, caCertificates: null }], transferKeyName: null },
    capabilities: { recordTypes: ['A', 'AAAA', 'CNAME'], policies: false, makesZones: true },
    servers: [{ place: powerdnsServer.url, serverState: 'SERVING', message: null }],
    zones: { nodes: [] },
  });
  expect(list.nodes.map((each) => each.id)).toContain(id);
  const audited = await graph.db.query('SELECT * FROM audit_entry');
  expect(JSON.stringify(audited)).toContain('dnsBackendCreate');
  expect(JSON.stringify(audited)).not.toContain('"key"');
  await remove('dnsBackendDelete', { id });
});

test("a zone at Designate has its pool's name servers, and is not signed by Tidegate", async () => {
  const backendId = await graph.make('dnsBackendCreate', designate({ nameServers: ['203.0.113.57:53'] }));
  const zone = { name: 'pool.test', backendId };
  const made = (change: Input) => graph.mutate('dnsZoneCreate', { ...zone, ...change });
  expect((await made({ nameServers: ['ns1.pool.test'] })).faults).toEqual(['NOT_SUPPORTED input.nameServers']);
  expect((await made({ secondaries: ['203.0.113.60:53'] })).faults).toEqual(['NOT_SUPPORTED input.secondaries']);
  expect((await made({ signed: true })).faults).toEqual(['NOT_SUPPORTED input.signed']);
  await remove('dnsBackendDelete', { id: backendId });
});

test('a backend keeps its credentials, unless an update would send them elsewhere', async () => {
  const id = await graph.make('dnsBackendCreate', rfc2136());
  const update = (input: Input) => graph.mutate('dnsBackendUpdate', { id, ...input });
  expect((await update({ name: 'renamed' })).faults).toEqual([]);
  const moved = { servers: ['203.0.113.55:53'], keyName: 'tidegate' };
  expect((await update({ rfc2136: moved })).faults).toEqual(['CREDENTIALS_REQUIRED input.credentials']);
  const another = 'YW5vdGhlci1zZWNyZXQtaGVyZQ==';
  expect((await update({ rfc2136: moved, credentials: { keySecret: another } })).faults).toEqual([]);
  const row = await stored(id);
  expect(row).toMatchObject({ name: 'renamed', version: 3, spec: { servers: moved.servers } });
  expect(openSecret(graph.sealer, row as never)).toEqual({ keySecret: another });
  expect((await update({ expectedVersion: 1, name: 'again' })).faults).toEqual(['STALE_VERSION input.expectedVersion']);
  await remove('dnsBackendDelete', { id });
});

test('a repeated request gets its first answer, also when the backend or the zone is gone', async () => {
  const input = rfc2136({ idempotencyKey: 'backend' });
  const id = await graph.make('dnsBackendCreate', input, admin);
  expect(await graph.make('dnsBackendCreate', input, admin)).toBe(id);
  const zone = await graph.make('dnsZoneCreate', { name: 'again.test', backendId: id });
  for (const gone of [
    ['dnsZoneDelete', { id: zone, idempotencyKey: 'zone gone' }],
    ['dnsBackendDelete', { id, idempotencyKey: 'backend gone' }],
  ] as const)
    for (const _ of [1, 2]) expect((await graph.mutate(gone[0], gone[1], admin)).faults).toEqual([]);
  expect((await graph.mutate('dnsBackendDelete', { id })).faults).toEqual(['NOT_FOUND input.id']);
  expect((await graph.mutate('dnsBackendUpdate', { id, name: 'x' })).faults).toEqual(['NOT_FOUND input.id']);
  expect((await graph.mutate('dnsZoneDelete', { id: zone })).faults).toEqual(['NOT_FOUND input.id']);
});

test('a zone at a backend is created there, with the rights as its rules', async () => {
  const backend = await graph.make('dnsBackendCreate', powerdns());
  const other = encodeId('Project', projectB);
  const rights = [{ suffix: 'made.test' }, { suffix: 'b.made.test', projectId: other }];
  const head = { nameServers: ['ns1.made.test'], signed: true };
  const id = await graph.make('dnsZoneCreate', { name: 'made.test', backendId: backend, rights, ...head });
  const made = () => readZoneNamed(graph.db, 'made.test');
  expect(await made()).toMatchObject({
    ...{ backendId: decodeUuid('DnsBackend', backend), managed: true },
    spec: { nameServers: ['ns1.made.test'], isSigned: true, secondaries: [] },
    rules: [
      { suffix: 'made.test', projectIds: null },
      { suffix: 'b.made.test', projectIds: [projectB] },
    ],
  });
  const owed = await graph.db.query<{ kind: string }>(
    "SELECT kind FROM owed_work WHERE `key` = 'made.test' ORDER BY kind",
  );
  expect(owed.map(({ kind }) => kind)).toEqual(['dns-look', 'dns-zone']);
  const secondaries = ['203.0.113.60:53'];
  const shown = await graph.mutate(
    ...(['dnsZoneUpdate', { id, rights: [], secondaries }, admin] as const),
    '{ backendType backend { name } nameServers signed secondaries }',
  );
  expect(shown.entity).toEqual({
    ...{ backendType: 'POWERDNS', backend: { name: 'pdns' }, signed: true },
    ...{ nameServers: ['ns1.made.test'], secondaries: ['203.0.113.60:53'] },
  });
  expect(await made()).toMatchObject({ rules: [{ suffix: 'made.test', projectIds: [] }] });
  expect((await graph.mutate('dnsBackendDelete', { id: backend })).faults).toEqual(['IN_USE input.id']);
  await remove('dnsZoneDelete', { id });
  expect(await made()).toBeUndefined();
  const flavor = await graph.make('gslbFlavorCreate', { name: 'made', backendId: backend });
  expect((await graph.mutate('dnsBackendDelete', { id: backend })).faults).toEqual(['IN_USE input.id']);
  await graph.make('gslbFlavorDelete', { id: flavor });
  await remove('dnsBackendDelete', { id: backend });
});

test('a backend of our own name servers behaves like no backend', async () => {
  const backendId = await graph.make('dnsBackendCreate', { name: 'ours', backendType: 'ANSWERER' });
  await graph.make('dnsZoneCreate', { name: 'ours.test', backendId, rights: [openRight('ours.test')] });
  expect(await readZoneNamed(graph.db, 'ours.test')).toBeUndefined();
  const name = { fqdn: 'geo.ours.test', flavorId: world.flavor, poolIds: [world.pool], policy: 'GEO' };
  expect((await graph.mutate('gslbCreate', name)).faults).toEqual([]);
});
