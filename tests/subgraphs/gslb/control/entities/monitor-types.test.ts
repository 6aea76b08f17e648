// Types of monitors. A deployer's own plugin enters the graph with the checker that has it. Its schema checks all
// parameters, including those that a member overrides.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { setCheckerRecord } from '../../../../../platform/machines/checker-record.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { Checker } from '../../../../../subgraphs/gslb/agents/checker/checker.ts';
import { loadPlugins } from '../../../../../subgraphs/gslb/agents/checker/plugins/own-plugins.ts';
import { standardPlugins } from '../../../../../subgraphs/gslb/agents/checker/plugins/standard-plugins.ts';
import { ConductorLinks } from '../../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { connectChecker } from '../../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { GslbGraph, type Input, identity } from '../../support/gslb-graph.ts';

const owner = identity('MEMBER');
const either = `export default { name: 'EITHER', needsPort: false, parameters: { type: 'object', additionalProperties: false,
  properties: { one: { type: 'string' }, other: { type: 'string' } }, maxProperties: 1 },
  check: async () => ({ up: true, message: null, detail: null }) };`;
const endless = `export default { name: 'ENDLESS', needsPort: false, parameters: { type: 'object',
  properties: { text: { type: 'string', pattern: '^(a+)+$' } } },
  check: async () => ({ up: true, message: null, detail: null }) };`;
let graph: GslbGraph;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  graph = await GslbGraph.open();
  ends.push(() => graph.stop());
  await graph.make('gslbVantagePointCreate', { name: 'eu', region: 'eu', latitude: 50, longitude: 8 });
  const { db, wake, log, sealer } = graph;
  const authority = await testAuthority();
  const links = new ConductorLinks({
    ...{ db, wake, log, sealer, owner: graph.owner, egress: testEgress, signsZones: false },
    ...{ silenceMs: 600_000, heartbeatMs: 200, freshMs: 600_000 },
    checkers: { host: '127.0.0.1', port: 0, tls: await testMachine(authority, 'gslb', 'conductor', log) },
  });
  await links.start();
  ends.push(() => links.stop());
  const folder = await temporaryFolder();
  ends.push(() => folder.remove());
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(await readFile('docs/gslb.md', 'utf8')) ?? [];
  await writeFile(join(folder.path, 'greeting.mjs'), code, { mode: 0o644 });
  await writeFile(join(folder.path, 'either.mjs'), either, { mode: 0o644 });
  await writeFile(join(folder.path, 'endless.mjs'), endless, { mode: 0o644 });
  const own = await loadPlugins(folder.path, new Set());
  const tls = await testMachine(authority, 'checker', 'eu-1', log);
  await graph.db.transaction((tx) => setCheckerRecord(tx, tls.id, { vantagePoint: 'eu' }));
  const checker = new Checker({
    ...{ vantagePoint: 'eu', version: '1', urls: [`wss://127.0.0.1:${links.checkerPort}/link`], log, tls },
    ...{ registry: new Registry(), egress: testEgress, plugins: [...standardPlugins, ...own], own },
    ...{ fping: '/nowhere/fping', resolve: async () => [], programs: new Map() },
  });
  await checker.start();
  ends.push(() => checker.stop());
  await waitFor('the checker to be known', async () => (await types()).length > 0);
});
afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Shown {
  readonly checkType: string;
  readonly plugin: string | null;
  readonly needsPort: boolean;
  readonly vantagePointNames: readonly string[] | null;
  readonly schema: Input;
}

/** The types of the deployer's own plugins. */
async function types(): Promise<readonly Shown[]> {
  const text = '{ gslbMonitorTypes { checkType plugin needsPort vantagePointNames schema } }';
  const { gslbMonitorTypes } = await graph.ask<{ gslbMonitorTypes: readonly Shown[] }>(owner, text);
  return gslbMonitorTypes.filter(({ plugin }) => plugin !== null);
}

const greeting = (change: Input): Input => ({ name: 'hello', checkType: 'PLUGIN', plugin: 'GREETING', ...change });

test("a deployer's own types are published with their schemas", async () => {
  const [first, endlessType, second, ...more] = await types();
  expect(first).toMatchObject({ checkType: 'PLUGIN', plugin: 'EITHER', needsPort: false, vantagePointNames: ['eu'] });
  expect(endlessType).toMatchObject({ plugin: 'ENDLESS' });
  expect(second).toMatchObject({ plugin: 'GREETING', needsPort: true });
  expect(second?.schema).toMatchObject({ properties: { word: { type: 'string', maxLength: 80 } } });
  expect(more).toEqual([]);
});

test.each([
  ['of another type', { word: 7 }, ['INVALID_INPUT input.parameters.plugin.word']],
  ['that are too long', { word: 'a'.repeat(81) }, ['TOO_LONG input.parameters.plugin.word']],
  ['that it does not have', { words: 'a' }, ['INVALID_INPUT input.parameters.plugin.words']],
])('parameters %s are refused', async (_what, parameters, faults) => {
  const before = await graph.everything();
  expect(
    (await graph.mutate('gslbMonitorCreate', greeting({ parameters: { plugin: parameters } }), owner)).faults,
  ).toEqual(faults);
  // Heartbeats continue in the background.
  expect(withoutCheckers(await graph.everything())).toBe(withoutCheckers(before));
});

test.each([
  ['that no checker has', greeting({ plugin: 'FAREWELL' }), ['NOT_FOUND input.plugin']],
  ['without a name', greeting({ plugin: null }), ['INVALID_INPUT input.plugin']],
  ['for another type', greeting({ checkType: 'TCP' }), ['INVALID_INPUT input.plugin']],
])('a plugin %s is refused', async (_what, input, faults) => {
  expect((await graph.mutate('gslbMonitorCreate', input, owner)).faults).toEqual(faults);
});

test('a pattern that would run forever is stopped, and is not tried again at once', async () => {
  const parameters = { plugin: { text: `${'a'.repeat(60)}b` } };
  const input = { name: 'endless', checkType: 'PLUGIN', plugin: 'ENDLESS', parameters };
  const create = async () => (await graph.mutate('gslbMonitorCreate', input, owner)).told;
  const message = expect.stringContaining('takes longer than 500 ms');
  expect(await create()).toEqual([{ code: 'INVALID_INPUT', message, field: ['input', 'parameters'] }]);
  expect(await create()).toMatchObject([{ message }]);
});

test('a checker that joins later does not change what another publishes', async () => {
  await graph.make('gslbVantagePointCreate', { name: 'us', region: 'us', latitude: 40, longitude: -70 });
  const before = await types();
  const other = { name: 'GREETING', needsPort: false, parameters: { not: {} } };
  const facts = { vantagePoint: 'us', version: '1', plugins: ['GREETING'], own: [other] };
  const machine = { id: newUuid(), name: 'us-1' };
  await graph.db.transaction((tx) => setCheckerRecord(tx, machine.id, { vantagePoint: 'us' }));
  await graph.db.transaction((tx) =>
    connectChecker(tx, graph.wake, { machine, vantagePoint: 'us', facts, linkedTo: graph.owner }),
  );
  expect(await types()).toEqual(before);
  const id = await graph.make('gslbMonitorCreate', greeting({ name: 'beside' }), owner);
  await graph.make('gslbMonitorDelete', { id }, owner);
  const checkers = '{ gslbCheckers { nodes { name differingPlugins } } }';
  const { gslbCheckers } = await graph.ask<{ gslbCheckers: { nodes: { name: string }[] } }>(
    identity('ADMIN'),
    checkers,
  );
  expect(gslbCheckers.nodes.toSorted((one, two) => (one.name < two.name ? -1 : 1))).toEqual([
    { name: 'eu-1', differingPlugins: [] },
    { name: 'us-1', differingPlugins: ['GREETING'] },
  ]);
});

test("a deployer's plugin checks a member", async () => {
  const server = createServer((socket) => socket.on('error', () => undefined).write('moin')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const monitor = await graph.make('gslbMonitorCreate', greeting({ intervalMs: 200, timeoutMs: 200 }), owner);
  const poolId = await graph.make('gslbPoolCreate', { name: 'greeted' }, owner);
  const parameters = { plugin: { word: 'moin' } };
  const member = { poolId, name: 'one', addresses: ['127.0.0.1'], servicePort: port, parameters };
  await graph.make('gslbPoolMemberCreate', member, owner);
  await graph.make('gslbPoolMonitorAttach', { monitorId: monitor, target: { poolId } }, owner);
  const verdict = async () =>
    (await graph.db.query<{ verdict: string }>("SELECT verdict FROM gslb_vote WHERE verdict = 'UP'")).length > 0;
  await waitFor('the vote', verdict);
  // The parameters are shown with their schema, which a project member has not seen.
  const plugin = 'parameters { ... on GslbPluginParameters { values schema } }';
  const { gslbPool } = await graph.ask<{ gslbPool: Input }>(
    owner,
    `query ($id: ID!) { gslbPool(id: $id) { monitors { ${plugin} } members { nodes { ${plugin} } } } }`,
    { id: poolId },
  );
  expect(gslbPool).toMatchObject({
    monitors: [{ parameters: { values: {}, schema: { properties: { word: { maxLength: 80 } } } } }],
    members: { nodes: [{ parameters: { values: { word: 'moin' }, schema: null } }] },
  });
});

test("a member's parameters are checked with those of its monitors", async () => {
  const poolId = await graph.make('gslbPoolCreate', { name: 'merged' }, owner);
  const common = { checkType: 'PLUGIN', plugin: 'EITHER' };
  const one = await graph.make(
    'gslbMonitorCreate',
    { name: 'one', ...common, parameters: { plugin: { one: 'a' } } },
    owner,
  );
  const empty = await graph.make('gslbMonitorCreate', { name: 'empty', ...common }, owner);
  const ping = await graph.make('gslbMonitorCreate', { name: 'ping', checkType: 'ICMP' }, owner);
  const plain = { poolId, addresses: ['127.0.0.1'] };
  const member = await graph.make(
    'gslbPoolMemberCreate',
    { ...plain, name: 'one', parameters: { plugin: { other: 'b' } } },
    owner,
  );
  const faults = async (mutation: string, input: Input) => (await graph.mutate(mutation, input, owner)).faults;

  // On attach, for a pool and for a member.
  for (const used of [{ poolId }, { memberId: member }])
    for (const monitorId of [one, ping])
      expect(await faults('gslbPoolMonitorAttach', { monitorId, target: used })).toEqual([
        'INVALID_INPUT input.monitorId',
      ]);
  expect(await faults('gslbPoolMonitorAttach', { monitorId: empty, target: { poolId } })).toEqual([]);
  // When the monitor changes.
  const update = { id: empty, parameters: { plugin: { one: 'a' } } };
  expect(await faults('gslbMonitorUpdate', update)).toEqual(['INVALID_INPUT input.parameters']);
  // When a member is added or changed.
  const wrong = { parameters: { http: { path: '/' } } };
  const path = ['INVALID_INPUT input.parameters.http.path'];
  expect(await faults('gslbPoolMemberCreate', { ...plain, name: 'two', ...wrong })).toEqual(path);
  expect(await faults('gslbPoolMemberUpdate', { id: member, ...wrong })).toEqual(path);
  expect(await faults('gslbPoolMemberUpdate', { id: member, parameters: null })).toEqual([]);
  expect(await faults('gslbMonitorUpdate', update)).toEqual([]);
});

function withoutCheckers(text: string): string {
  const rows = JSON.parse(text) as unknown[];
  return JSON.stringify(rows.filter((_, at) => rows[at - 1] !== 'gslb_checker' && rows[at - 1] !== 'owed_work'));
}
