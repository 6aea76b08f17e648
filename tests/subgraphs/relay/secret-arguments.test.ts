// Secret arguments of calls reach the device and nothing else: not the journal, the audit trail, events, answers or the
// log, in any form.
import { Writable } from 'node:stream';
import { beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '../../../platform/log/log.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { resealSecrets } from '../../../subgraphs/relay/control/journal/reseal-secrets.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { keyFile } from '../../support/product/test-context.ts';
import { NeighborDevice } from './support/neighbor-device.ts';
import { identity } from './support/relay-system.ts';
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

/** Random, so that they occur in no other text. */
const secrets: Record<string, string> = {};
let made = 0;
function secret(name: string): string {
  made += 1;
  const word = `q7X/${name.replaceAll(' ', '-')}&${made}+zW~5%k`;
  secrets[name] = word;
  return word;
}

const { system, node, device } = await startRelay({ node: { log }, device: () => NeighborDevice.start() });
await device.register(node, 'r1', { limits: { concurrency: 1 } });

beforeEach(() => {
  device.mood = 'fine';
});

const fields = `operation { id state arguments wireCall result deviceError { code message } evidence { note }
  changedMappings { id wantedSettings { name value } lastVerification { result } } } wireCall deviceCheck { code message } userErrors { code message field }`;

interface Shown {
  readonly operation: {
    readonly id: string;
    readonly state: string;
    readonly arguments: Record<string, unknown>;
    readonly wireCall: string;
    readonly deviceError: { readonly message: string } | null;
    readonly changedMappings: readonly { readonly id: string; readonly wantedSettings: WantedSettings }[];
  } | null;
  readonly mapping?: {
    readonly id: string;
    readonly wantedSettings: WantedSettings;
    readonly lastVerification: unknown;
  } | null;
  readonly wireCall?: string;
  readonly deviceCheck?: { readonly code: string; readonly message: string };
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

async function mutate(name: string, input: object, of = node, what = fields): Promise<Shown> {
  const text = `mutation ($input: ${inputTypeOf(name)}!) { root: ${name}(input: $input) { ${what} } }`;
  const { data, errors } = await of.run<{ root: Shown }>(identity('OPERATOR'), text, { input });
  exhibits.push({ where: 'answer', text: JSON.stringify([data, errors]) });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return data.root;
}

const neighbor = (address: string, password: string, key: string, more: object = {}) => ({
  ...{ backend: { name: 'r1' }, localAs: 65_001, address, remoteAs: 4_200_000_002, password },
  ...{ idempotencyKey: key, ...more },
});

const create = (...given: Parameters<typeof neighbor>) => mutate('routerBgpNeighborCreate', neighbor(...given));
const passwordOf = (address: string) =>
  device.lines.find((line) => line.startsWith(`neighbor ${address} password `))?.split(' ')[3];

test('a secret reaches the device, and is shown as ***', async () => {
  const password = secret('first');
  const { operation } = await create('10.0.0.1', password, 'first');
  expect(operation).toMatchObject({ state: 'SUCCEEDED', arguments: { remoteAs: 4_200_000_002, password: '***' } });
  expect(operation?.wireCall).toContain('neighbor 10.0.0.1 password ***');
  expect(passwordOf('10.0.0.1')).toBe(password);
});

test('a repetition with the same password is the same call, with another one a conflict', async () => {
  const password = secret('repeated');
  const { operation } = await create('10.0.0.2', password, 'repeated');
  expect((await create('10.0.0.2', password, 'repeated')).operation?.id).toBe(operation?.id);
  const { userErrors } = await create('10.0.0.2', secret('another'), 'repeated');
  expect(userErrors).toMatchObject([{ code: 'KEY_CONFLICT' }]);
});

test('a repetition after the keys were changed is the same call', async () => {
  const keys = { ...keyFile.keys, fresh: Buffer.alloc(32, 8).toString('base64') };
  const password = secret('before new keys');
  const { operation } = await create('10.0.0.3', password, 'rotated');
  node.keyring.replace({ active: 'fresh', keys });
  try {
    expect((await create('10.0.0.3', password, 'rotated')).operation?.id).toBe(operation?.id);
    const { userErrors } = await create('10.0.0.3', secret('after new keys'), 'rotated');
    expect(userErrors).toMatchObject([{ code: 'KEY_CONFLICT' }]);
  } finally {
    node.keyring.replace(keyFile);
  }
});

test('a waiting call is sent with its secret later', async () => {
  const [first, second] = [secret('ahead'), secret('waiting')];
  const release = device.hold();
  const ahead = create('10.0.0.4', first, 'ahead');
  await waitFor('the first call at the device', async () => device.told.some((text) => text.includes(first)));
  const waiting = await create('10.0.0.4', second, 'waiting', { waitMs: 50 });
  expect(waiting.operation).toMatchObject({ state: 'PENDING', arguments: { password: '***' } });
  exhibits.push(...(await dumpDatabase(system.database.connection)));
  release();
  expect((await ahead).operation?.state).toBe('SUCCEEDED');
  expect((await create('10.0.0.4', second, 'waiting')).operation).toMatchObject({
    ...{ id: waiting.operation?.id, state: 'SUCCEEDED', arguments: { password: '***' } },
  });
  expect(passwordOf('10.0.0.4')).toBe(second);
});

test('another password on the device is drift, and neither is shown', async () => {
  const cmpObject = { type: 'tenant', externalId: '5' };
  const { operation } = await create('10.0.0.5', secret('wanted'), 'drift', { cmpObject });
  const [mapping] = operation?.changedMappings ?? [];
  expect(settingsOf(mapping?.wantedSettings)).toMatchObject({ password: '***' });
  const what = 'mapping { lastVerification { result differences { path wanted found } } } userErrors { code message }';
  const verify = (key: string) => mutate('mappingVerify', { id: mapping?.id, idempotencyKey: key }, node, what);
  expect((await verify('v1')).mapping?.lastVerification).toEqual({ result: 'MATCHES', differences: [] });
  const changed = secret('set by hand');
  device.lines = device.lines.map((line) =>
    line.startsWith('neighbor 10.0.0.5 password') ? `neighbor 10.0.0.5 password ${changed}` : line,
  );
  expect((await verify('v2')).mapping?.lastVerification).toEqual({
    result: 'DRIFTED',
    differences: [{ path: 'password', wanted: '***', found: '***' }],
  });
  device.lines = device.lines.filter((line) => !line.startsWith('neighbor 10.0.0.5 password'));
  expect((await verify('v3')).mapping?.lastVerification).toEqual({
    result: 'DRIFTED',
    differences: [{ path: 'password', wanted: '***', found: null }],
  });
});

test('the password of an adopted neighbour is compared, and not shown', async () => {
  const found = secret('found');
  device.lines.push('neighbor 10.0.0.6 remote-as 65006', `neighbor 10.0.0.6 password ${found}`);
  const named = { resource: 'bgp-neighbor', scope: '65001 default', objectKey: '10.0.0.6' };
  const input = { backend: { name: 'r1' }, cmpObject: { type: 'tenant', externalId: '6' }, ...named };
  const what = 'mapping { id wantedSettings { name value } lastVerification { result } } userErrors { code message }';
  const { mapping } = await mutate('mappingAdopt', { ...input, idempotencyKey: 'adopt' }, node, what);
  expect(settingsOf(mapping?.wantedSettings)).toMatchObject({ remoteAs: 65_006, password: '***' });
  const verified = await mutate('mappingVerify', { id: mapping?.id, idempotencyKey: 'adopted' }, node, what);
  expect(verified.mapping?.lastVerification).toMatchObject({ result: 'MATCHES' });
});

test('a device quotes the secret in a refusal and in its own check', async () => {
  device.mood = 'refuses and quotes';
  const refused = await create('10.0.0.7', secret('quoted'), 'quoted');
  expect(refused.operation).toMatchObject({ state: 'FAILED' });
  expect(refused.operation?.deviceError?.message).toContain('password •••');
  const dry = await create('10.0.0.7', secret('checked'), 'checked', { dryRun: true });
  expect(dry.wireCall).toContain('password ***');
  expect(dry.deviceCheck?.message).toContain('password •••');
});

test('an unknown call is settled by its password, which is resealed in between and deleted afterwards', async () => {
  device.mood = 'cuts the connection';
  const kept = secret('cut');
  const done = await create('10.0.0.8', kept, 'cut');
  device.mood = 'cuts it and forgets';
  const other = secret('before the cut');
  device.lines.push('neighbor 10.0.0.9 remote-as 4200000002', `neighbor 10.0.0.9 password ${other}`);
  const lost = await create('10.0.0.9', secret('never taken'), 'lost');
  expect([done.operation?.state, lost.operation?.state]).toEqual(['UNKNOWN', 'UNKNOWN']);
  exhibits.push(...(await dumpDatabase(system.database.connection)));
  const sealed = 'SELECT COUNT(*) AS count FROM operation WHERE secrets IS NOT NULL';
  expect(await node.db.query(sealed)).toEqual([{ count: 2 }]);

  const keys = { ...keyFile.keys, next: Buffer.alloc(32, 9).toString('base64') };
  node.keyring.replace({ active: 'next', keys });
  const again = await resealSecrets(node.db, { sealer: node.sealer, keyId: 'next', openOlder: false });
  expect(again).toEqual({ resealed: 2, trusted: [], failed: [] });
  const only = createSealer(new Keyring({ active: 'next', keys: { next: keys.next } }));
  expect((await resealSecrets(node.db, { sealer: only, keyId: 'other', openOlder: false })).failed).toEqual([]);
  node.keyring.replace({ active: 'k1', keys });

  device.mood = 'fine';
  await node.db.execute('UPDATE operation SET quiet_over = 1 WHERE quiet_until IS NOT NULL');
  const settle = (id: string | undefined) =>
    mutate('relayOperationSettle', { id }, node, 'operation { state evidence { note } } userErrors { code message }');
  expect((await settle(done.operation?.id)).operation?.state).toBe('SUCCEEDED');
  expect((await settle(lost.operation?.id)).operation?.state).toBe('FAILED');
  expect(await node.db.query(sealed)).toEqual([{ count: 0 }]);
});

test('an answer does not quote refused input', async () => {
  const long = secret('too long').padEnd(200, 'p');
  expect((await create('10.0.0.10', long, 'long')).userErrors).toMatchObject([{ code: 'TOO_LONG' }]);
  expect((await create('10.0.0.10', `${secret('blank')} x`, 'blank')).userErrors).toMatchObject([
    { code: 'INVALID_INPUT' },
  ]);
  expect((await create('10.0.0.10', `${secret('pipe')}|x`, 'pipe')).userErrors).toMatchObject([
    { code: 'INVALID_INPUT' },
  ]);
  const args = { asNumber: 65_001, address: '10.0.0.10', remoteAs: 1, password: `${secret('called')} x` };
  const called = { backend: { name: 'r1' }, operation: 'bgpNeighbor.create', arguments: args };
  expect((await mutate('relayCall', called)).userErrors).toMatchObject([{ code: 'INVALID_ARGUMENTS' }]);
  // Fields whose names do not mark them as secrets.
  const undeclared = { asNumber: 65_001, passwort: secret('undeclared'), deep: { md5: secret('nested') } };
  const unknown = { ...called, arguments: undeclared };
  expect((await mutate('relayCall', unknown)).userErrors[0]).toMatchObject({ code: 'INVALID_ARGUMENTS' });
  const [entry] = await node.db.query<{ details: string }>(
    "SELECT details FROM audit_entry WHERE action = 'relayCall' AND outcome = 'REFUSED' ORDER BY id DESC LIMIT 1",
  );
  expect(JSON.parse(entry?.details ?? '{}')).toMatchObject({ arguments: ['asNumber', 'passwort', 'deep'] });
  const nowhere = neighbor('10.0.0.10', secret('nowhere'), 'nowhere', { backend: { name: 'none' } });
  expect((await mutate('routerBgpNeighborCreate', nowhere)).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
});

test('no output contains a secret, in any form', async () => {
  const queries = [
    '{ relayOperations(first: 100) { nodes { arguments wireCall result deviceError { code message } evidence { note } } } }',
    '{ mappings(first: 100) { nodes { wantedSettings { name value } object { ... on RouterBgpNeighbor { address localAs } } lastVerification { result differences { path wanted found } } } } }',
    '{ relayMappingChanges { mappings { wantedSettings { name value } lastVerification { result differences { path wanted found } } } } }',
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
  expect(Object.keys(secrets).length).toBeGreaterThan(15);
  expect(hunt(secrets, exhibits)).toEqual([]);
  expect(
    hunt(
      { planted: secrets.first ?? '' },
      device.told.map((text) => ({ where: 'device', text })),
    ).length,
  ).toBe(1);
});
