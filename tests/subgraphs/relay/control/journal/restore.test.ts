// A one-minute-old backup is restored. Calls that a device got after the backup are not sent again.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RestoreGuard } from '../../../../../platform/restore/restore-guard.ts';
import { FileTextMemory } from '../../../../../platform/restore/text-memory.ts';
import { checkTimeline } from '../../../../../platform/restore/timelines.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type Backup, backUp } from '../../../../support/stores/backup.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

let system: RelaySystem;
let device: NftDevice;
let folder: TemporaryFolder;
const guards: RestoreGuard[] = [];
const backups: Backup[] = [];

beforeAll(async () => {
  system = await RelaySystem.start();
  device = await NftDevice.start();
  folder = await temporaryFolder();
});
afterAll(async () => {
  for (const guard of guards) await guard.stop();
  await system.stop();
  for (const backup of backups) await backup.remove();
  await device.ssh.stop();
  await folder.remove();
});

async function guarded(node: RelayNode): Promise<RestoreGuard> {
  const memories = [new FileTextMemory(join(folder.path, 'memory'))];
  const { db, wake, log, owner } = node;
  const guard = new RestoreGuard({ db, wake, log, owner, memories, onSetBack: 'continue' });
  guards.push(guard);
  await guard.start();
  return guard;
}

async function backup(): Promise<Backup> {
  const made = await backUp(system.database);
  backups.push(made);
  return made;
}

const rule = (backend: string, name: string) => ({
  ...{ backend: { name: backend }, idempotencyKey: `key-${name}`, name, action: 'DROP' },
  cmpObject: { type: 'tenant', externalId: name },
});
const told = (name: string) => device.told.filter((stdin) => stdin.includes('"rule"') && stdin.includes(name)).length;

/** Repeats with the same key until the relay gives a final answer, as a client does. */
async function repeat(node: RelayNode, backend: string, name: string): Promise<string> {
  return waitFor('an answer', async () => {
    const { operation, userErrors } = await call(node, 'ruleCreate', rule(backend, name));
    if (userErrors[0]?.code === 'UNAVAILABLE') return undefined;
    return operation?.state ?? userErrors[0]?.code;
  });
}

test('the same key gets REPLAY_UNCERTAIN from a relay that keeps running, even right after the restore', async () => {
  const node = await system.node();
  const guard = await guarded(node);
  await device.register(node, 'running');
  const older = await backup();
  expect((await call(node, 'ruleCreate', rule('running', 'once'))).operation?.state).toBe('SUCCEEDED');
  await waitFor('a look', () => node.db.commitProofs[0]?.id === node.db.lastCommit?.id);
  await older.restore();
  // Another write hides nothing.
  await device.register(node, 'later');
  expect(await repeat(node, 'running', 'once')).toBe('REPLAY_UNCERTAIN');
  expect(told('once')).toBe(1);
  // Idempotent calls are made.
  expect((await call(node, 'add', element('running', '10.1.0.1'))).operation?.state).toBe('SUCCEEDED');
  await guard.stop();
  await node.stop();
}, 60_000);

test('the timeline is lifted backend by backend, and the last one ends it for all', async () => {
  const node = await system.node();
  await guarded(node);
  await node.db.execute('INSERT INTO db_timeline (epoch, lossy) SELECT MAX(epoch) + 1, 1 FROM db_timeline');
  const create = (name: string) => call(node, 'ruleCreate', rule(name, `${name}-new`));
  const lift = async (name: string) => {
    const [row] = await node.db.query<{ id: string }>('SELECT id FROM backend WHERE live_name = ?', [name]);
    const text = `mutation ($input: BackendReplayLiftInput!) {
      backendReplayLift(input: $input) { backend { replayUncertain } userErrors { code } } }`;
    const { data } = await node.run(identity('OPERATOR'), text, {
      input: { id: encodeId('Backend', row?.id ?? '') },
    });
    expect(data).toMatchObject({ backendReplayLift: { backend: { replayUncertain: false }, userErrors: [] } });
  };
  const unlifted = async () =>
    (await node.db.query('SELECT 1 FROM db_timeline WHERE lifted_at IS NULL AND lossy = 1')).length;
  await device.register(node, 'new');
  expect(await create('running')).toMatchObject({ userErrors: [{ code: 'REPLAY_UNCERTAIN', retry: 'NEVER' }] });
  await lift('running');
  expect((await create('running')).operation?.state).toBe('SUCCEEDED');
  expect(await create('new')).toMatchObject({ userErrors: [{ code: 'REPLAY_UNCERTAIN' }] });
  // A promotion without a loss ends nothing.
  await node.db.execute('INSERT INTO db_timeline (epoch, lossy) SELECT MAX(epoch) + 1, 0 FROM db_timeline');
  expect(await create('new')).toMatchObject({ userErrors: [{ code: 'REPLAY_UNCERTAIN' }] });
  await expect(checkTimeline(node.db)).rejects.toThrow('tidegate timeline lift');
  expect(await unlifted()).toBeGreaterThan(0);
  const [others] = await node.db.query<{ names: string }>(
    "SELECT GROUP_CONCAT(live_name) AS names FROM backend WHERE provisioning_status <> 'DELETED'",
  );
  for (const name of (others?.names ?? '').split(',')) await lift(name);
  expect(await unlifted()).toBe(0);
  await node.sequence();
  const told = await node.db.query<{ to: string }>(
    "SELECT to_status AS `to` FROM status_change WHERE kind = 'database.timeline' AND from_status = 'LOSSY'",
  );
  expect(told.map(({ to }) => to)).toContain('LIFTED');
  expect(await checkTimeline(node.db)).toBeUndefined();
  expect((await create('new')).operation?.state).toBe('SUCCEEDED');
}, 60_000);

test('the same key gets REPLAY_UNCERTAIN from a relay that starts after the restore', async () => {
  const first = await system.node();
  const guard = await guarded(first);
  await first.db.execute('UPDATE db_timeline SET lifted_at = NOW(3)');
  await device.register(first, 'started');
  const older = await backup();
  expect((await call(first, 'ruleCreate', rule('started', 'down'))).operation?.state).toBe('SUCCEEDED');
  await guard.stop();
  await first.stop();
  await older.restore();
  const second = await system.node();
  await guarded(second);
  expect(await repeat(second, 'started', 'down')).toBe('REPLAY_UNCERTAIN');
  expect(told('down')).toBe(1);
}, 60_000);

test('a call that waited in the backup, and was sent after it, is not sent again', async () => {
  const node = await system.node();
  await guarded(node);
  await node.db.execute('UPDATE db_timeline SET lifted_at = NOW(3)');
  await device.register(node, 'waited', { limits: { concurrency: 1, deadlineMs: 60_000, queueLimit: 10 } });
  device.hold();
  const running = call(node, 'add', element('waited', '10.3.0.1'));
  await waitFor('the first call', () => device.timesTold('10.3.0.1') === 1);
  const waiting = call(node, 'ruleCreate', rule('waited', 'waited-rule'));
  const state = async () => {
    const [row] = await node.db.query<{ state: string }>(
      "SELECT state FROM operation WHERE object_key LIKE '%waited-rule'",
    );
    return row?.state;
  };
  await waitFor('the waiting call', async () => (await state()) === 'PENDING');
  const older = await backup();
  device.release();
  await Promise.all([running, waiting]);
  expect(told('waited-rule')).toBe(1);
  await older.restore();
  await waitFor('the verdict', async () => !['PENDING', 'SENT'].includes((await state()) ?? ''));
  expect(await state()).toBe('UNKNOWN');
  expect(told('waited-rule')).toBe(1);
}, 60_000);
