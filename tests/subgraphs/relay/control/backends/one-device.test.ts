// A device can be registered only once. Claims and mappings are per backend, so two backends of one device would give
// one object two owners.
import { beforeEach, expect, test } from '@jest/globals';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import type { HeldLease } from '../../../../../platform/leases/leases.ts';
import { recordCheckResults } from '../../../../../subgraphs/relay/control/checks/backend-checker.ts';
import { identity, projectA, projectB, projectId } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const { system, node } = await startRelay();
const other = await system.node();
const lease = (await node.leases.acquire('checks/backends/0')) as HeldLease;
let made = 0;
beforeEach(() => {
  made += 1;
});

const operator = identity('OPERATOR');
const stranger = identity('OPERATOR', projectB);
const administrator = identity('ADMIN');

interface Payload {
  readonly backend: { readonly id: string; readonly separateObjects: boolean; readonly circuit: Circuit } | null;
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly field: readonly string[];
  }[];
}
interface Circuit {
  readonly state: string;
  readonly reason: string | null;
}
const fields = 'backend { id separateObjects circuit { state reason } } userErrors { code message field }';

const mutate = (name: string, input: object, who: Identity = operator, at = node) =>
  at.mutate<Payload>(name, input, fields, who);

const credentials = { username: 'netops', password: 'secret' };
const hostKey = (name: string) => `SHA256:${name.replaceAll(/[^A-Za-z0-9]/g, '').padEnd(43, 'A')}`;
/** A device that only this test uses. */
const device = (name: string, more: object = {}) => ({
  ...{ name: `${name}-${made}`, driver: 'linux-nftables', host: `${name}-${made}.example`, credentials },
  ...{ hostKeySha256: hostKey(`${name}${made}`), ...more },
});
const create = (input: object, who: Identity = operator, at = node) => mutate('backendCreate', input, who, at);
async function created(input: object, who: Identity = operator): Promise<string> {
  const { backend, userErrors } = await create(input, who);
  if (backend === null) throw new Error(JSON.stringify(userErrors));
  return backend.id;
}
const taken = (field: string, message: unknown = expect.any(String)) => ({
  ...{ backend: null, userErrors: [{ code: 'DEVICE_TAKEN', field: ['input', field], message }] },
});

test('a second registration of an address or a host key is refused, with the name of the backend that has it', async () => {
  const first = device('fw');
  const id = await created(first);
  const named = expect.stringContaining(`backend ${first.name} (${id})`);
  expect(await create({ ...first, name: 'again' })).toEqual(taken('host', named));
  expect(await create({ ...first, name: 'spelt', host: first.host.toUpperCase() })).toEqual(taken('host', named));
  expect(await create({ ...first, name: 'port', port: 2_222 })).toEqual(taken('hostKeySha256', named));
  expect(await create({ ...device('elsewhere'), hostKeySha256: first.hostKeySha256 })).toEqual(
    taken('hostKeySha256', named),
  );
  expect(await create({ ...first, name: 'unproven', hostKeySha256: null })).toEqual(taken('host', named));
});

test('an address has one canonical spelling', async () => {
  await created(device('six', { host: '2001:db8::1' }));
  expect(await create(device('again', { host: '2001:0DB8:0:0::1' }))).toEqual(taken('host'));
  await created(device('four', { host: '192.0.2.77' }));
  expect(await create(device('mapped', { host: '::ffff:192.0.2.77' }))).toEqual(taken('host'));
});

test('another project learns that the device is taken, but not by which project', async () => {
  const first = device('fw');
  const id = await created(first);
  const { userErrors } = await create({ ...first, name: 'mine' }, stranger);
  expect(userErrors).toMatchObject([{ code: 'DEVICE_TAKEN', field: ['input', 'host'] }]);
  expect(userErrors[0]?.message).toContain('another project');
  for (const secret of [first.name, id, projectId(projectA)]) expect(userErrors[0]?.message).not.toContain(secret);
});

test('another driver, port or scope of the driver is not a second registration', async () => {
  const first = device('box');
  await created(first);
  await created({ ...first, name: `routes-${made}`, driver: 'frr' });
  await created(device('box', { name: `second-${made}`, port: 2_022, hostKeySha256: hostKey(`second${made}`) }));
  const options = { authUrl: 'https://keystone.example:5000/v3' };
  const cloud = device('cloud', { driver: 'neutron', hostKeySha256: null });
  await created({ ...cloud, name: `red-${made}`, options: { ...options, project: 'red' } });
  await created({ ...cloud, name: `blue-${made}`, options: { ...options, project: 'blue' } });
  expect(await create({ ...cloud, options: { ...options, project: 'red', login: 'applicationCredential' } })).toEqual(
    taken('host'),
  );
});

test('one of two concurrent registrations is refused', async () => {
  for (let round = 0; round < 10; round += 1) {
    const first = device(`race${round}`);
    const answers = await Promise.all([
      create({ ...first, name: `one-${round}` }),
      create({ ...first, name: `two-${round}` }, stranger, other),
    ]);
    expect(answers.flatMap(({ userErrors }) => userErrors.map(({ code }) => code))).toEqual(['DEVICE_TAKEN']);
  }
});

test('a changed address and an accepted host key or certificate are checked too', async () => {
  const first = device('first');
  await created(first);
  const id = await created(device('second', { hostKeySha256: null }));
  expect(await mutate('backendUpdate', { id, host: first.host, credentials })).toEqual(taken('host'));
  const proof = { id, hostKeySha256: first.hostKeySha256, credentials };
  expect(await mutate('backendHostKeyAccept', proof)).toEqual(taken('hostKeySha256'));
  expect(await mutate('backendUpdate', proof)).toEqual(taken('hostKeySha256'));
  const gate = { driver: 'fortios', hostKeySha256: null, options: {} };
  const certificateSha256 = hostKey(`certificate${made}`);
  await created(device('gate', { ...gate, certificateSha256 }));
  const gateId = await created(device('later', gate));
  expect(await mutate('backendCertificateAccept', { id: gateId, certificateSha256, credentials })).toEqual(
    taken('certificateSha256'),
  );
  // A refused request changes nothing, so its own address still belongs to it.
  expect(await create(device('second', { name: 'third', hostKeySha256: null }))).toEqual(taken('host'));
});

test('the device is free again once its backend has another address and key, or is deleted', async () => {
  const first = device('fw');
  const id = await created(first);
  const moved = { id, host: `new-${made}.example`, hostKeySha256: hostKey(`new${made}`), credentials };
  expect(await mutate('backendUpdate', moved)).toMatchObject({ userErrors: [] });
  const second = await created({ ...first, name: 'second' });
  expect(await mutate('backendUpdate', { id: second, enabled: false })).toMatchObject({ userErrors: [] });
  expect(await create({ ...first, name: 'third' })).toEqual(taken('host'));
  expect(await mutate('backendDelete', { id: second })).toMatchObject({ userErrors: [] });
  await created({ ...first, name: 'fourth' });
});

test('an administrator may declare that two backends have no object in common, until one of them moves', async () => {
  const first = device('image');
  await created(first);
  const clone = device('clone', { hostKeySha256: first.hostKeySha256, separateObjects: true });
  expect(await create(clone)).toMatchObject({
    userErrors: [{ code: 'FORBIDDEN', field: ['input', 'separateObjects'] }],
  });
  const admitted = await create({ ...clone, projectId: projectId(projectA) }, administrator);
  expect(admitted).toMatchObject({ backend: { separateObjects: true }, userErrors: [] });
  const id = admitted.backend?.id;
  expect(await mutate('backendUpdate', { id, site: 'west' })).toMatchObject({ backend: { separateObjects: true } });
  // The declaration covers only the device at that time.
  expect(await mutate('backendUpdate', { id, host: first.host, credentials })).toEqual(taken('host'));
  const own = { id, hostKeySha256: hostKey(`own${made}`), credentials };
  expect(await mutate('backendHostKeyAccept', own)).toMatchObject({ backend: { separateObjects: false } });
  expect(await create({ ...clone, name: 'more', separateObjects: false })).toEqual(taken('host'));

  const back = { id, hostKeySha256: first.hostKeySha256, credentials };
  expect(await mutate('backendUpdate', { ...back, separateObjects: true })).toMatchObject({
    userErrors: [{ code: 'FORBIDDEN' }],
  });
  expect(await mutate('backendUpdate', { ...back, separateObjects: true }, administrator)).toMatchObject({
    backend: { separateObjects: true },
  });
  expect(await mutate('backendUpdate', { id, separateObjects: false })).toEqual(taken('hostKeySha256'));
});

/** A successful check of the backend, which read this serial. */
async function check(id: string | undefined, serial: string): Promise<void> {
  const [, uuid = ''] = Buffer.from(id ?? '', 'base64url')
    .toString()
    .split(':');
  const reading = { softwareVersion: 'nftables 1.0.6', serial, openCircuit: null, presented: {} };
  const seen = { targetId: uuid, message: null, detail: reading, latencyMs: 1, at: new Date(), status: 'UP' } as const;
  await recordCheckResults(node.db, system.wake, [seen], lease);
}
const circuitOf = async (id: string | undefined) => {
  const text = 'query ($id: ID!) { backend(id: $id) { circuit { state reason } } }';
  return (await node.ask<{ backend: { circuit: Circuit } }>(text, { id })).backend.circuit;
};

test('a serial that another backend already has opens the circuit of a new one', async () => {
  const [one, two] = [device('held'), device('late')];
  const [first, second] = [await created(one), await created(two)];
  await check(first, 'serial-1');
  await check(first, 'serial-1');
  expect(await circuitOf(first)).toMatchObject({ state: 'CLOSED' });
  await check(second, 'serial-1');
  expect(await circuitOf(second)).toMatchObject({ state: 'OPEN', reason: expect.stringContaining(one.name) });
  // Closing it changes nothing about the device.
  await mutate('backendCircuitClose', { id: second });
  await check(second, 'serial-1');
  expect(await circuitOf(second)).toMatchObject({ state: 'OPEN' });
  await mutate('backendUpdate', { id: second, separateObjects: true }, administrator);
  await check(second, 'serial-1');
  expect(await circuitOf(second)).toMatchObject({ state: 'CLOSED' });
});

test('a backend keeps working when its device was replaced, or failed over to a registered one', async () => {
  const [first, second] = [await created(device('one')), await created(device('two'))];
  await check(first, 'serial-a');
  await check(second, 'serial-b');
  await check(second, 'serial-a');
  expect(await circuitOf(second)).toMatchObject({ state: 'CLOSED' });
  // The former serial is free again.
  const third = await created(device('three'));
  await check(third, 'serial-b');
  expect(await circuitOf(third)).toMatchObject({ state: 'CLOSED' });
});
