// Two failures at once: an unusable backend and a dead process, a refusing device and a lost database, a refused login
// and another process that holds the backend.
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { backendLease } from '../../../../../subgraphs/relay/control/holding/backend-manager.ts';
import { createTransport } from '../../../../../subgraphs/relay/transports/factories.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../../../support/product/test-context.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

let system: RelaySystem;
let device: NftDevice;
/** Another process, which holds backends. */
let rival: LocalContext;

beforeAll(async () => {
  system = await RelaySystem.start();
  device = await NftDevice.start();
  rival = new LocalContext({ connection: system.database.connection }, { wake: system.wake });
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  await rival.stop();
  await system.stop();
  await device.ssh.stop();
});

const uuidOf = async (node: RelayNode, name: string) =>
  (await node.db.query<{ id: string }>('SELECT id FROM backend WHERE name = ?', [name]))[0]?.id ?? '';

async function heldByRival(node: RelayNode, name: string) {
  const lease = await rival.leases.acquire(backendLease(await uuidOf(node, name)));
  if (lease === undefined) throw new Error(`${name} is held`);
  return lease;
}

const read = (node: RelayNode, name: string) =>
  node.run<{ relayRead: { deviceError: { code: string } | null; userErrors: { code: string }[] } }>(
    identity('MEMBER'),
    'query ($input: RelayReadInput!) { relayRead(input: $input) { deviceError { code } userErrors { code } } }',
    { input: { backend: { name }, operation: 'table.list', arguments: {} } },
  );

test("a backend whose credentials can't be opened delays neither the calls of others nor recovery", async () => {
  const node = await system.node({ settings: { queueTimeoutMs: 2_000 } });
  const leases = [];
  const waiting = [];
  for (const name of ['unusable', 'usable']) {
    await device.register(node, name);
    leases.push(await heldByRival(node, name));
    waiting.push(await call(node, 'add', element(name, '10.1.0.1', { waitMs: 0 })));
  }
  expect(waiting.map(({ operation }) => operation?.state)).toEqual(['PENDING', 'PENDING']);
  await node.db.execute('DELETE FROM backend_credential WHERE backend_id = ?', [await uuidOf(node, 'unusable')]);
  // The first in the list of backends with waiting calls, whatever its ID.
  await leases[0]?.release();
  const states = () =>
    node.db.query<{ state: string; code: string | null }>(
      'SELECT o.state, o.error_code AS code FROM operation o JOIN backend b ON b.id = o.backend_id ORDER BY b.name',
    );
  const tried = jest.spyOn(node.log, 'warn');
  await waitFor('a try', () => tried.mock.calls.some(([, words]) => String(words).includes('could not be taken')));
  await leases[1]?.release();
  await waitFor('both ends', async () => (await states()).every(({ state }) => state !== 'PENDING'));
  expect(await states()).toEqual([
    { state: 'REJECTED', code: 'QUEUE_TIMEOUT' },
    { state: 'SUCCEEDED', code: null },
  ]);
  await node.stop();
});

test('an object is free again when its slot failed and the database was lost at the same moment', async () => {
  let fails = false;
  const refused = { kind: 'NOT_SENT', code: 'AUTH_FAILED', message: 'no' } as const;
  const node = await system.node({
    transports: (kind, endpoint, options) => {
      const transport = createTransport(kind, endpoint, options);
      return {
        tryReserve: () => (fails ? undefined : transport.tryReserve()),
        reserve: async (how) => (fails ? { ok: false, failure: refused } : transport.reserve(how)),
        send: (wire, how) => transport.send(wire, how),
        state: () => ({ ...transport.state(), channels: 0 }),
        close: () => transport.close(),
      };
    },
  });
  await device.register(node, 'torn');
  expect((await call(node, 'add', element('torn', '10.2.0.1'))).operation?.state).toBe('SUCCEEDED');
  fails = true;
  const lost = jest.spyOn(node.db, 'transaction').mockRejectedValue(new Error('the database is lost'));
  await expect(call(node, 'add', element('torn', '10.2.0.2'))).rejects.toThrow();
  lost.mockRestore();
  fails = false;
  const again = await call(node, 'add', element('torn', '10.2.0.2', { waitMs: 5_000 }));
  expect(again.operation?.state).toBe('SUCCEEDED');
  await node.stop();
});

test('a refused login of a process that does not hold the backend opens the circuit, and reads do not repeat it', async () => {
  const node = await system.node();
  await device.register(node, 'changed', { credentials: { username: 'netops', password: 'wrong' } });
  const lease = await heldByRival(node, 'changed');
  const before = device.ssh.passwords.length;
  expect((await read(node, 'changed')).data.relayRead).toMatchObject({ deviceError: { code: 'AUTH_FAILED' } });
  expect((await read(node, 'changed')).data.relayRead).toMatchObject({ userErrors: [{ code: 'CIRCUIT_OPEN' }] });
  expect(device.ssh.passwords.length - before).toBe(1);
  const [row] = await node.db.query(
    'SELECT circuit_state AS state, circuit_lasting AS lasting FROM backend WHERE name = ?',
    ['changed'],
  );
  expect(row).toEqual({ state: 'OPEN', lasting: 1 });
  await lease.release();
  await node.stop();
});

test('a waiting call is not tried again and again on a database that was set back', async () => {
  const node = await system.node();
  await device.register(node, 'set-back');
  const lease = await heldByRival(node, 'set-back');
  const waiting = await call(node, 'add', element('set-back', '10.4.0.1', { waitMs: 0 }));
  expect(waiting.operation?.state).toBe('PENDING');
  const proofs = jest.spyOn(node.db, 'commitProofs', 'get').mockReturnValue([{ id: newUuid(), epoch: 1_000_000 }]);
  const doubts = jest.spyOn(node.db, 'doubt');
  const warned = jest.spyOn(node.log, 'warn');
  await lease.release();
  await waitFor('a doubt', () => doubts.mock.calls.length > 0);
  await waitFor('a warning', () => warned.mock.calls.some(([, words]) => String(words).includes('journaled as sent')));
  expect(device.timesTold('10.4.0.1')).toBe(0);
  // Only the housekeeping wakes the queue, ten times a second here.
  expect(doubts.mock.calls.length).toBeLessThan(5);
  proofs.mockRestore();
  await waitFor('its end', () => device.timesTold('10.4.0.1') === 1);
  await node.stop();
});

test('a login that is refused after the call had its session opens the circuit', async () => {
  let fails = false;
  const refused = { ok: false, failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED', message: 'no' } } as const;
  const node = await system.node({
    transports: (kind, endpoint, options) => {
      const transport = createTransport(kind, endpoint, options);
      return {
        tryReserve: () => {
          const slot = transport.tryReserve();
          if (slot === undefined || !fails) return slot;
          return { send: async () => refused, release: () => slot.release() };
        },
        reserve: (how) => transport.reserve(how),
        send: (wire, how) => transport.send(wire, how),
        state: () => transport.state(),
        close: () => transport.close(),
      };
    },
  });
  await device.register(node, 'expired');
  expect((await call(node, 'add', element('expired', '10.5.0.1'))).operation?.state).toBe('SUCCEEDED');
  fails = true;
  const ended = await call(node, 'add', element('expired', '10.5.0.2'));
  expect(ended.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'NOT_SENT' } });
  const circuit = () =>
    node.db.query('SELECT circuit_state AS state, circuit_lasting AS lasting FROM backend WHERE name = ?', ['expired']);
  await waitFor('the circuit', async () => JSON.stringify(await circuit()) === '[{"state":"OPEN","lasting":1}]');
  await node.stop();
});

test('sessions that are slow to close do not wait for one another', async () => {
  let closing = 0;
  const gate = Promise.withResolvers<void>();
  const node = await system.node({
    settings: { holderIdleMs: 50 },
    transports: (kind, endpoint, options) => {
      const transport = createTransport(kind, endpoint, options);
      return {
        tryReserve: () => transport.tryReserve(),
        reserve: (how) => transport.reserve(how),
        send: (wire, how) => transport.send(wire, how),
        state: () => transport.state(),
        close: async () => {
          closing += 1;
          await gate.promise;
          await transport.close();
        },
      };
    },
  });
  const leases = [];
  for (const name of ['slow-1', 'slow-2', 'slow-3']) {
    await device.register(node, name);
    leases.push(await heldByRival(node, name));
  }
  await Promise.all(['slow-1', 'slow-2', 'slow-3'].map((name) => read(node, name)));
  try {
    await waitFor('all to be closing', () => closing === 3);
  } finally {
    gate.resolve();
  }
  for (const lease of leases) await lease.release();
  await node.stop();
});
