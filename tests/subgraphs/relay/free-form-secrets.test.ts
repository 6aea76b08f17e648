// Values under names that a driver does not know may be secrets: a template's arguments, settings of YANG modules,
// options and IDs of a switch. They reach the device and nothing else: not the journal, the audit trail, events,
// answers or the log, in any form.
import { readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { netconfModules } from '../../../lab/netconf.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { Neo } from '../../../simulators/neo/neo.ts';
import { describeWithNetconf } from '../../support/servers/netconf.ts';
import { describeWithOpenVswitch } from '../../support/servers/openvswitch.ts';
import { identity, registerBackend, registerDevice } from './support/relay-system.ts';
import { dumpDatabase, type Exhibit, hunt } from './support/secret-hunt.ts';
import { settingsOf, type WantedSettings } from './support/settings.ts';
import { startRelay } from './support/start-relay.ts';
import { inputTypeOf } from './support/typed-inputs.ts';

const exhibits: Exhibit[] = [];
const log = createLogger({
  ...{ level: 'trace', pretty: false },
  destination: new Writable({
    write: (chunk, _encoding, done) => {
      exhibits.push({ where: 'log', text: String(chunk) });
      done();
    },
  }),
});
const secrets: Record<string, string> = {};
/** Random, so that it occurs in no other text. */
function secret(name: string): string {
  const word = `q7X/${name}@${Object.keys(secrets).length}+zW-5k`;
  secrets[name] = word;
  return word;
}

const { system, node } = await startRelay({ node: { log } });

interface Shown {
  readonly operation: {
    readonly id: string;
    readonly state: string;
    readonly arguments: object;
    readonly wireCall: string;
  } | null;
  readonly mapping?: {
    readonly id: string;
    readonly wantedSettings: WantedSettings;
    readonly lastVerification: unknown;
  } | null;
  readonly wireCall?: string;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}
const operationFields = `operation { id state arguments wireCall result deviceError { code message } evidence { note } }`;
const mappingFields =
  'mapping { id wantedSettings { name value } lastVerification { result differences { path wanted found } } }';

async function mutate(name: string, input: object, fields: string): Promise<Shown> {
  const text = `mutation ($input: ${inputTypeOf(name)}!) { root: ${name}(input: $input) { ${fields} userErrors { code message field } } }`;
  const { data, errors } = await node.run<{ root: Shown }>(identity('OPERATOR'), text, { input });
  exhibits.push({ where: 'answer', text: JSON.stringify([data, errors]) });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return data.root;
}
const relay = (backend: string, operation: string, args: object, key: string, more: object = {}) =>
  mutate(
    'relayCall',
    {
      ...{ backend: { name: backend }, idempotencyKey: key, cmpObject: { type: 'tenant', externalId: '42' } },
      ...{ operation, arguments: args, ...more },
    },
    `${operationFields} ${mappingFields} wireCall deviceCheck { code message }`,
  );
let looks = 0;
const verify = async (id: string | undefined) => {
  looks += 1;
  const { mapping } = await mutate('mappingVerify', { id, idempotencyKey: `verify ${looks}` }, mappingFields);
  return mapping?.lastVerification;
};
const matches = { result: 'MATCHES', differences: [] };

describe('the arguments of a NEO template', () => {
  let neo: Neo;
  beforeAll(async () => {
    neo = await Neo.start();
    await registerDevice(node, neo.server, {
      ...{ name: 'fabric', driver: 'neo', credentials: { username: 'admin', password: 'secret' } },
    });
  });
  afterAll(() => neo?.stop());

  const args = (word: string, device = '10.224.15.29') => ({
    ...{ template: 'Save-Configuration', devices: [device] },
    arguments: { snmp_community: word, port: 7 },
  });

  test('reach NEO, and are shown as ***', async () => {
    const word = secret('template');
    const { operation } = await relay('fabric', 'template.run', args(word), 'template', { waitMs: 0 });
    expect(operation).toMatchObject({
      arguments: { ...args('***'), arguments: { snmp_community: '***', port: '***' } },
    });
    expect(operation?.wireCall).toContain('"snmp_community": "***"');
    const dry = await relay('fabric', 'template.run', args(secret('dry')), 'dry', { dryRun: true });
    expect(dry.wireCall).toContain('"snmp_community": "***"');
  });

  test('a repetition with the same arguments is the same call, with others a conflict', async () => {
    const other = '10.224.15.30';
    const word = secret('repeated');
    const { operation } = await relay('fabric', 'template.run', args(word, other), 'repeated');
    const again = await relay('fabric', 'template.run', args(word, other), 'repeated');
    expect([again.userErrors, again.operation?.id]).toEqual([[], operation?.id]);
    const conflict = await relay('fabric', 'template.run', args(secret('another'), other), 'repeated');
    expect(conflict.userErrors).toMatchObject([{ code: 'KEY_CONFLICT' }]);
  });
});

describeWithOpenVswitch('options and IDs of Open vSwitch', (ovs) => {
  beforeAll(async () => {
    const { host, port, certificates } = ovs().ovsdb;
    await registerBackend(node, {
      ...{ name: 'sw', driver: 'openvswitch', host, port, allowInit: true, caCertificates: certificates.ca },
      credentials: {
        ...{ username: 'relay', privateKey: certificates.client.key },
        clientCertificate: certificates.client.cert,
      },
      options: { datapathType: 'netdev' },
    });
  });

  test('reach the switch, are compared, and shown as *** unless the driver knows that they are not secret', async () => {
    await relay('sw', 'bridge.create', { bridge: 'br-s', externalIds: { note: secret('bridge') } }, 'bridge');
    const [psk, id] = [secret('psk'), secret('id')];
    const interfaceOptions = { remote_ip: '192.0.2.9', psk };
    const externalIds = { 'iface-id': 'port-9', whatever: id };
    const args = { bridge: 'br-s', port: 'gre9', interfaceType: 'gre', interfaceOptions, externalIds };
    const { operation, mapping } = await relay('sw', 'port.add', args, 'port');
    const shown = {
      interfaceOptions: { remote_ip: '192.0.2.9', psk: '***' },
      externalIds: { 'iface-id': 'port-9', whatever: '***' },
    };
    expect(operation).toMatchObject({ state: 'SUCCEEDED', arguments: shown });
    expect(settingsOf(mapping?.wantedSettings)).toMatchObject(shown);
    expect((await ovs().vsctl('get', 'Interface', 'gre9', 'options:psk')).stdout).toContain(psk);
    expect(await verify(mapping?.id)).toEqual(matches);
    await ovs().vsctl('set', 'Interface', 'gre9', `options:psk="${secret('by-hand')}"`);
    expect(await verify(mapping?.id)).toEqual({
      result: 'DRIFTED',
      differences: [{ path: 'interfaceOptions.psk', wanted: '***', found: '***' }],
    });
    const set = { object: 'port', name: 'gre9', externalIds: { whatever: secret('changed'), gone: null } };
    const changed = await relay('sw', 'externalIds.set', set, 'ids');
    expect(changed.operation).toMatchObject({
      state: 'SUCCEEDED',
      arguments: { externalIds: { whatever: '***', gone: null } },
    });
  });
});

describeWithNetconf('leaves of YANG modules', (server) => {
  beforeAll(async () => {
    const { host, port, username, privateKeyPath, hostKeySha256 } = server();
    await registerBackend(node, {
      ...{ name: 'router', driver: 'netconf', host, port, hostKeySha256 },
      credentials: { username, privateKey: await readFile(privateKeyPath, 'utf8') },
      options: { modules: netconfModules },
    });
  });
  const path = (peer: string) => `/lab-vpn:vpn/tunnel[site='berlin'][peer='${peer}']`;

  test('reach the device, are compared, and shown as ***, with their names', async () => {
    const value = {
      mtu: 1_400,
      description: secret('leaf'),
      prefix: ['b', 'a'],
      enabled: true,
      keepalive: { interval: 10 },
    };
    const made = await relay('router', 'entry.create', { path: path('oslo'), value, mark: 'description' }, 'leaf');
    const shown = {
      ...{ mtu: '***', description: '***', prefix: ['***', '***'], enabled: true },
      keepalive: { interval: '***' },
    };
    expect(made.operation).toMatchObject({ state: 'SUCCEEDED', arguments: { path: path('oslo'), value: shown } });
    expect(settingsOf(made.mapping?.wantedSettings)).toMatchObject({ mtu: '***', keepalive: { interval: '***' } });
    expect(await verify(made.mapping?.id)).toEqual(matches);
    const changed = { path: path('oslo'), value: { mtu: 900, description: secret('merged') } };
    expect((await relay('router', 'entry.merge', changed, 'merge')).operation).toMatchObject({ state: 'SUCCEEDED' });
    expect(await verify(made.mapping?.id)).toEqual(matches);
    const single = { path: `${path('oslo')}/lab-vpn:mtu`, value: 1_300 };
    expect((await relay('router', 'entry.replace', single, 'single')).operation).toMatchObject({ state: 'SUCCEEDED' });
    expect(await verify(made.mapping?.id)).toEqual({
      result: 'DRIFTED',
      differences: [{ path: 'mtu', wanted: '***', found: '***' }],
    });
  });

  test('of an adopted entry are compared, and not shown', async () => {
    const value = { description: secret('adopted') };
    await relay('router', 'entry.create', { path: path('rome'), value }, 'own', { cmpObject: null });
    const named = { backend: { name: 'router' }, cmpObject: { type: 'tenant', externalId: '42' }, resource: 'entry' };
    const input = { ...named, scope: '', objectKey: path('rome'), idempotencyKey: 'adopt' };
    const { mapping } = await mutate('mappingAdopt', input, mappingFields);
    expect(settingsOf(mapping?.wantedSettings)).toEqual({ description: '***' });
    expect(await verify(mapping?.id)).toEqual(matches);
  });

  test("of an earlier version's mapping, which stored them as they are, are compared all the same", async () => {
    const value = { mtu: 1_280 };
    const made = await relay('router', 'entry.create', { path: path('bonn'), value }, 'earlier');
    await node.db.execute('UPDATE mapping SET desired = \'{"mtu":"1280"}\' WHERE object_key = ?', [path('bonn')]);
    expect(await verify(made.mapping?.id)).toEqual(matches);
  });
});

test('no output contains a secret, in any form', async () => {
  const queries = [
    '{ relayOperations(first: 100) { nodes { arguments wireCall result deviceError { code message } evidence { note } } } }',
    '{ mappings(first: 100) { nodes { wantedSettings { name value } lastVerification { result differences { path wanted found } } } } }',
  ];
  for (const query of queries) {
    const { data, errors } = await node.run(identity('OPERATOR'), query);
    expect(errors).toEqual([]);
    exhibits.push({ where: query, text: JSON.stringify(data) });
  }
  exhibits.push(...(await dumpDatabase(system.database.connection)));
  const tables = new Set(exhibits.map(({ where }) => where.split(',')[0]));
  for (const table of ['operation', 'audit_entry', 'status_change', 'mapping', 'idempotency_key'])
    expect(tables).toContain(`table ${table}`);
  expect(Object.keys(secrets).length).toBeGreaterThanOrEqual(4);
  expect(hunt(secrets, exhibits)).toEqual([]);
});
