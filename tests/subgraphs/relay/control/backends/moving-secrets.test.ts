// Backends are moved with new secrets while calls, checks, other changes and resealing continue. No device ever gets
// another device's secret.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Keyring } from '../../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../../platform/secrets/seal.ts';
import { decodeUuid, newUuid } from '../../../../../platform/values/ids.ts';
import { SshDevice } from '../../../../../simulators/ssh-device.ts';
import type { BackendRow } from '../../../../../subgraphs/relay/control/backends/backend.ts';
import { readBackend } from '../../../../../subgraphs/relay/control/backends/backend-store.ts';
import { readEndpoint } from '../../../../../subgraphs/relay/control/backends/endpoint.ts';
import { resealCredentials } from '../../../../../subgraphs/relay/control/backends/reseal.ts';
import { BackendChecker } from '../../../../../subgraphs/relay/control/checks/backend-checker.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { keyFile } from '../../../../support/product/test-context.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import {
  call,
  projectA,
  type RelayNode,
  RelaySystem,
  settle,
  type UserErrorShape,
} from '../../support/relay-system.ts';
import { separateBackends } from '../../support/separate-backends.ts';

const bothKeys = { active: 'k1', keys: { ...keyFile.keys, k2: Buffer.alloc(32, 9).toString('base64') } };
const sealer = createSealer(new Keyring(bothKeys));

let system: RelaySystem;
let nodes: readonly RelayNode[];
let east: NftDevice;
let west: NftDevice;

beforeAll(async () => {
  system = await RelaySystem.start();
  nodes = await Promise.all([system.node({ sealer }), system.node({ sealer })]);
  east = await NftDevice.start({ password: 'of the east' });
  west = await NftDevice.start({ password: 'of the west' });
});
afterAll(async () => {
  await system?.stop();
  await Promise.all([east?.ssh.stop(), west?.ssh.stop()]);
});
beforeEach(async () => {
  await separateBackends(system.database);
  east.ssh.passwords.length = 0;
  west.ssh.passwords.length = 0;
});

const node = (index = 0) => nodes[index] as RelayNode;
const uuid = (id: string) => decodeUuid('Backend', id) ?? '';
const addressOf = ({ ssh: { host, port, hostKeySha256 } }: NftDevice) => ({ host, port, hostKeySha256 });
const at = (device: NftDevice) => ({
  ...addressOf(device),
  credentials: { username: 'netops', password: device === east ? 'of the east' : 'of the west' },
});

async function update(id: string, input: object, by = node()): Promise<readonly UserErrorShape[]> {
  const fields = 'userErrors { code message field retry }';
  type Payload = { userErrors: readonly UserErrorShape[] };
  return (await by.mutate<Payload>('backendUpdate', { id, ...input }, fields)).userErrors;
}

/** The distinct passwords that each device received. */
const told = () => [east, west].map(({ ssh }) => [...new Set(ssh.passwords)]);

test('it moves back and forth while calls, checks, other changes and resealing continue', async () => {
  const id = await east.register(node(), 'restless', at(east));
  const checker = new BackendChecker({ db: node().db, sealer });
  let moving = true;
  const whileMoving = async (work: (turn: number) => Promise<unknown>) => {
    for (let turn = 1; moving; turn += 1) await work(turn);
  };
  const codes = new Set<string>();
  const mover = async () => {
    for (let turn = 1; turn <= 60; turn += 1) {
      const refused = await update(id, at(turn % 2 === 1 ? west : east), node(turn % 2));
      expect(refused).toEqual([]);
    }
    moving = false;
  };
  const caller = (stream: number) =>
    whileMoving(async (turn) => {
      const made = await call(
        node(stream),
        'add',
        element('restless', `10.${stream}.1.${turn % 250}`, { idempotencyKey: newUuid() }),
      );
      for (const { code } of made.userErrors) codes.add(code);
    });
  await Promise.all([
    mover(),
    caller(0),
    caller(1),
    whileMoving((turn) => update(id, { site: `s${turn}`, limits: { concurrency: 1 + (turn % 4) } }, node(1))),
    // Some of these are refused, and some change nothing because the backend is already there. None moves a secret.
    whileMoving(() => update(id, addressOf(west))),
    whileMoving((turn) =>
      checker.check(
        { id: uuid(id), timeoutMs: 2_000, revision: `r${turn}` },
        { signal: new AbortController().signal, egress: testEgress },
      ),
    ),
    whileMoving((turn) => {
      const keyId = turn % 2 === 0 ? 'k1' : 'k2';
      const other = createSealer(new Keyring({ ...bothKeys, active: keyId }));
      return resealCredentials(node(1).db, { sealer: other, keyId, openOlder: false });
    }),
  ]);
  // The next change also resets the circuit's failures.
  expect(await update(id, at(east))).toEqual([]);
  expect(told()).toEqual([['of the east'], ['of the west']]);
  expect([...codes].filter((code) => code === 'CREDENTIALS_UNUSABLE')).toEqual([]);
  const last = await call(node(), 'add', element('restless', '10.9.9.9'));
  expect(last.operation?.state).toBe('SUCCEEDED');
  await checker.close();
});

test('a row that was read before the move gives the new address with the new secrets, never the old address', async () => {
  const id = await east.register(node(), 'stale', at(east));
  const before = (await readBackend(node().db, uuid(id))) as BackendRow;
  await update(id, at(west));
  const { row, endpoint } = await readEndpoint({ db: node().db, sealer }, before);
  expect([row.version, endpoint.port, endpoint.credentials.password]).toEqual([2, west.ssh.port, 'of the west']);
});

test('a call in progress ends at the old address, waiting calls continue at the new one, and an unknown one is not probed there', async () => {
  const id = await east.register(node(), 'busy', { ...at(east), limits: { concurrency: 1 } });
  await call(node(), 'add', element('busy', '10.0.0.1'));
  east.hold();
  const running = call(node(), 'add', element('busy', '10.0.0.2'));
  await waitFor('the call to arrive', () => east.timesTold('10.0.0.2') === 1);
  const waiting = call(node(), 'add', element('busy', '10.0.0.3', { waitMs: 10_000 }));
  await waitFor('the call that waits', async () => {
    const rows = await node().db.query("SELECT 1 FROM operation WHERE state = 'PENDING' AND backend_id = ?", [
      uuid(id),
    ]);
    return rows.length === 1;
  });
  expect(await update(id, addressOf(west))).toMatchObject([{ code: 'CREDENTIALS_REQUIRED' }]);
  expect(await update(id, at(west))).toEqual([]);
  expect((await waiting).operation?.state).toBe('SUCCEEDED');
  east.release();
  expect((await running).operation?.state).toBe('SUCCEEDED');
  expect([east.timesTold('10.0.0.3'), west.timesTold('10.0.0.3')]).toEqual([0, 1]);

  west.hold();
  const lost = call(node(), 'add', element('busy', '10.0.0.4'));
  await waitFor('the call to arrive', () => west.timesTold('10.0.0.4') === 1);
  west.ssh.cutAll();
  const { operation } = await lost;
  expect(operation?.state).toBe('UNKNOWN');
  west.release();
  await update(id, at(east));
  const [eastern, western] = [east.ssh.commands.length, west.ssh.commands.length];
  expect(await settle(node(), { id: operation?.id })).toMatchObject({ userErrors: [{ code: 'BACKEND_MOVED' }] });
  expect([east.ssh.commands.length, west.ssh.commands.length]).toEqual([eastern, western]);
  expect(told()).toEqual([['of the east'], ['of the west']]);
});

/** The calls name the backend by ordinal, so that it is read for each call. */
async function addByOrdinal(id: string, name: string, address: string) {
  const [row] = await node().db.query<{ ordinal: number }>('SELECT ordinal FROM backend WHERE id = ?', [uuid(id)]);
  return call(node(), 'add', { ...element(name, address), backend: { family: 'FIREWALL', ordinal: row?.ordinal } });
}

test('a call whose backend was read before another process moved it goes to the new address', async () => {
  const id = await east.register(node(), 'left', at(east));
  await addByOrdinal(id, 'left', '10.4.0.1');
  const keyHash = createHash('sha256').update('key-left-10.4.0.2').digest('hex');
  const keyInserted = Promise.withResolvers<void>();
  const end = Promise.withResolvers<never>();
  const holding = node().db.transaction(async (tx) => {
    await tx.execute(
      `INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, expires_at)
      VALUES (?, 'firewallAddressSetElementAdd', ?, '', NOW(3) + INTERVAL 1 HOUR)`,
      [projectA, keyHash],
    );
    keyInserted.resolve();
    await end.promise;
  });
  await keyInserted.promise;
  const late = addByOrdinal(id, 'left', '10.4.0.2');
  await waitFor('the call to wait for its key', async () => {
    const running = await node().db.query(
      "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SET STATEMENT%INTO idempotency_key%'",
    );
    return running.length > 0;
  });
  expect(await update(id, at(west), node(1))).toEqual([]);
  end.reject(new Error('rolled back'));
  await expect(holding).rejects.toThrow('rolled back');
  expect((await late).operation?.state).toBe('SUCCEEDED');
  expect([east.timesTold('10.4.0.2'), west.timesTold('10.4.0.2')]).toEqual([0, 1]);
});

test("a call that was sent before the backend moved hides the old device's secret when its answer quotes it", async () => {
  const gate = Promise.withResolvers<void>();
  const old = await SshDevice.start({
    password: 'of the old one',
    onExec: async (execution) => {
      await gate.promise;
      execution.reply('', { stderr: 'Error: netops with of the old one has no right', exitCode: 1 });
    },
  });
  try {
    const { host, port, hostKeySha256 } = old;
    const credentials = { username: 'netops', password: 'of the old one' };
    const id = await east.register(node(), 'quoting', { host, port, hostKeySha256, credentials });
    const running = addByOrdinal(id, 'quoting', '10.3.0.1');
    await waitFor('the call to arrive', () => old.commands.length === 1);
    expect(await update(id, at(west))).toEqual([]);
    expect((await addByOrdinal(id, 'quoting', '10.3.0.2')).operation?.state).toBe('SUCCEEDED');
    gate.resolve();
    expect((await running).operation?.deviceError?.message).toBe('Error: netops with ••• has no right');
  } finally {
    gate.resolve();
    await old.stop();
  }
});

test('when secrets are deleted while calls wait, the calls are rejected and no connection remains', async () => {
  const device = await NftDevice.start();
  try {
    const id = await device.register(node(), 'emptied', { limits: { concurrency: 1 } });
    await call(node(), 'add', element('emptied', '10.1.0.1'));
    device.hold();
    const running = call(node(), 'add', element('emptied', '10.1.0.2'));
    await waitFor('the call to arrive', () => device.timesTold('10.1.0.2') === 1);
    const waiting = call(node(), 'add', element('emptied', '10.1.0.3', { waitMs: 10_000 }));
    await waitFor('the call that waits', async () => {
      const rows = await node().db.query("SELECT 1 FROM operation WHERE state = 'PENDING' AND backend_id = ?", [
        uuid(id),
      ]);
      return rows.length === 1;
    });
    expect(await update(id, { dropCredentials: true })).toEqual([]);
    expect((await waiting).operation).toMatchObject({
      state: 'REJECTED',
      deviceError: { code: expect.stringMatching(/^(CREDENTIALS_UNUSABLE|CIRCUIT_OPEN)$/) },
    });
    device.release();
    expect((await running).operation?.state).toBe('SUCCEEDED');
    await waitFor('the sessions to end', () => device.ssh.openConnections === 0);
    expect(device.timesTold('10.1.0.3')).toBe(0);
  } finally {
    device.release();
    await device.ssh.stop();
  }
});

test('a restored row alone opens nothing; with the credentials of its time it works as before', async () => {
  const id = await east.register(node(), 'restored', at(east));
  const { db } = node();
  const tables = ['backend', 'backend_credential'] as const;
  const keyOf = { backend: 'id', backend_credential: 'backend_id' } as const;
  for (const table of tables)
    await db.execute(`CREATE TABLE backup_of_${table} AS SELECT * FROM ${table} WHERE ${keyOf[table]} = ?`, [uuid(id)]);
  await update(id, at(west));
  const restoreAddress = `UPDATE backend b JOIN backup_of_backend o ON o.id = b.id
    SET b.host = o.host, b.port = o.port, b.host_key_sha256 = o.host_key_sha256, b.version = b.version + 1`;
  await db.execute(restoreAddress);
  const refused = await call(node(), 'add', element('restored', '10.2.0.1'));
  expect(refused.userErrors).toMatchObject([{ code: 'CREDENTIALS_UNUSABLE', retry: 'SAME_KEY_AFTER_ACTION' }]);
  expect(east.ssh.passwords).toEqual([]);
  await db.execute(`UPDATE backend_credential c JOIN backup_of_backend_credential o ON o.backend_id = c.backend_id
    AND o.field = c.field SET c.sealed = o.sealed, c.key_id = o.key_id`);
  await db.execute('UPDATE backend SET version = version + 1 WHERE id = ?', [uuid(id)]);
  expect((await call(node(), 'add', element('restored', '10.2.0.1'))).operation?.state).toBe('SUCCEEDED');
  expect(told()).toEqual([['of the east'], []]);
  for (const table of tables) await db.execute(`DROP TABLE backup_of_${table}`);
});
