// A restored backup, or a promotion that lost writes, can bring back revoked access. Tidegate revokes it again.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RevivedAccess } from '../../../../../platform/restore/revived-access.ts';
import { FileTextMemory } from '../../../../../platform/restore/text-memory.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { systemAccess } from '../../../../../subgraphs/system/control/access/system-access.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../../support/machine/temporary-folder.ts';
import { TestContext } from '../../../../support/product/test-context.ts';
import { type Backup, backUp } from '../../../../support/stores/backup.ts';

let ground: TestContext;
let folder: TemporaryFolder;
let backup: Backup | undefined;
let access: RevivedAccess;
const ids = { project: '', token: '', kept: '', machine: '', user: '', admin: '', other: '' };

beforeEach(async () => {
  ground = await TestContext.open();
  folder = await temporaryFolder();
  access = new RevivedAccess({
    ...ground,
    memories: [new FileTextMemory(join(folder.path, 'revoked'))],
    access: systemAccess,
  });
  for (const key of Object.keys(ids) as (keyof typeof ids)[]) ids[key] = newUuid();
  const { db } = ground;
  await db.execute("INSERT INTO project (id, name) VALUES (?, 'p')", [ids.project]);
  for (const id of [ids.token, ids.kept])
    await db.execute(
      "INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by) VALUES (?, ?, 't', 'VIEWER', ?, 'x', ?)",
      [id, ids.project, id, ids.user],
    );
  await db.execute(
    "INSERT INTO machine (id, name, active_name, role, join_hash, join_until, created_by, joined_at) VALUES (?, 'm', 'm', 'lbhost', ?, NOW(3), ?, NOW(3))",
    [ids.machine, ids.machine, ids.user],
  );
  for (const [id, admin] of [
    [ids.user, 0],
    [ids.admin, 1],
    [ids.other, 1],
  ] as const)
    await db.execute("INSERT INTO user (id, name, password_hash, admin) VALUES (?, ?, 'old', ?)", [id, id, admin]);
  await db.execute(
    "INSERT INTO session (id, user_id, refresh_hash, created_at, expires_at) VALUES (?, ?, 'r', NOW(3) - INTERVAL 1 HOUR, NOW(3) + INTERVAL 1 DAY)",
    [newUuid(), ids.user],
  );
  await access.runOnce();
});

afterEach(async () => {
  await backup?.remove();
  backup = undefined;
  await ground.stop();
  await folder.remove();
});

const changed = (id: string, reason: string, to = 'ACTIVE') =>
  ground.append({
    kind: 'user.changed',
    subjectType: 'User',
    subjectId: id,
    subjectVersion: 2,
    from: 'ACTIVE',
    to,
    reason,
  });

/**
 * Changes after the backup: a token and a machine are revoked, a password changes, and an administrator loses the role.
 */
async function takeAway(): Promise<void> {
  const { db } = ground;
  await db.execute('UPDATE api_token SET revoked_at = NOW(3), version = 2 WHERE id = ?', [ids.token]);
  const revoked = { subjectVersion: 2, to: 'REVOKED' };
  await ground.append({
    ...revoked,
    kind: 'apiToken.revoked',
    subjectType: 'ApiToken',
    subjectId: ids.token,
    from: 'ACTIVE',
  });
  await ground.append({
    ...revoked,
    kind: 'machine.revoked',
    subjectType: 'Machine',
    subjectId: ids.machine,
    from: 'JOINED',
  });
  await changed(ids.user, 'password');
  await changed(ids.other, 'disabled, admin', 'DISABLED');
  await ground.sequence();
  await access.runOnce();
}

async function restore(cause: 'RESTORE' | 'PROMOTION' = 'RESTORE'): Promise<void> {
  await backup?.restore();
  await ground.db.execute(
    'INSERT INTO db_timeline (epoch, lossy, cause) SELECT MAX(epoch) + 1, 1, ? FROM db_timeline',
    [cause],
  );
}

const state = async () => ({
  tokens: await ground.db.query('SELECT id FROM api_token WHERE revoked_at IS NULL'),
  machines: await ground.db.query('SELECT id FROM machine WHERE revoked_at IS NULL'),
  passwords: await ground.db.query('SELECT id FROM user WHERE password_hash IS NOT NULL AND disabled = 0 ORDER BY id'),
  admins: await ground.db.query('SELECT id FROM user WHERE admin = 1 ORDER BY id'),
  sessions: await ground.db.query('SELECT id FROM session WHERE ended_at IS NULL'),
});

test.each(['RESTORE', 'PROMOTION'] as const)(
  'tokens, machines, passwords and rights that a lossy %s brought back are suspended, each with an audit entry',
  async (cause) => {
    backup = await backUp(ground.place);
    await takeAway();
    await restore(cause);
    await access.runOnce();
    expect(await state()).toEqual({
      tokens: [{ id: ids.kept }],
      machines: [],
      passwords: [{ id: ids.admin }],
      admins: [{ id: ids.admin }],
      sessions: [],
    });
    const audited = await ground.db.query<{ id: string }>(
      "SELECT DISTINCT subject_id AS id FROM audit_entry WHERE action = 'revivedAccessSuspend'",
    );
    expect(audited.map(({ id }) => id).sort()).toEqual([ids.token, ids.machine, ids.user, ids.other].sort());
    // Only once, because a user may grant it again.
    await ground.db.execute("UPDATE user SET password_hash = 'new', version = version + 1 WHERE id = ?", [ids.user]);
    await access.runOnce();
    expect((await state()).passwords).toHaveLength(2);
  },
);

test('without a loss, and after a failover that lost nothing, nothing is suspended', async () => {
  await takeAway();
  const before = await state();
  await ground.db.execute('INSERT INTO db_timeline (epoch, lossy) SELECT MAX(epoch) + 1, 0 FROM db_timeline');
  const started = new RevivedAccess({
    ...ground,
    memories: [new FileTextMemory(join(folder.path, 'revoked'))],
    access: systemAccess,
  });
  await started.runOnce();
  await access.runOnce();
  expect(await state()).toEqual(before);
  expect(before.sessions).toHaveLength(1);
});

test('a login with the old password, between the restore and the suspension, ends with the suspension', async () => {
  backup = await backUp(ground.place);
  await takeAway();
  await restore();
  for (const user of [ids.user, ids.admin])
    await ground.db.execute(
      'INSERT INTO session (id, user_id, refresh_hash, created_at, expires_at) VALUES (?, ?, ?, NOW(3) + INTERVAL 1 SECOND, NOW(3) + INTERVAL 1 DAY)',
      [user, user, `r of ${user}`],
    );
  await access.runOnce();
  expect((await state()).sessions).toEqual([{ id: ids.admin }]);
});

test('a name server that a restore brought back gives up its name again', async () => {
  await ground.db.execute("INSERT INTO dns_server_name (machine_id, name, held_until) VALUES (?, 'm', NULL)", [
    ids.machine,
  ]);
  backup = await backUp(ground.place);
  await takeAway();
  await restore();
  await access.runOnce();
  const rows = await ground.db.query('SELECT held_until > NOW(3) AS leaves FROM dns_server_name WHERE machine_id = ?', [
    ids.machine,
  ]);
  expect(rows).toEqual([{ leaves: 1 }]);
});

test('the last administrator who can log in is not locked out', async () => {
  await ground.db.execute('UPDATE user SET admin = 0 WHERE id = ?', [ids.other]);
  backup = await backUp(ground.place);
  await changed(ids.admin, 'password');
  await ground.sequence();
  await access.runOnce();
  await restore();
  await access.runOnce();
  expect((await state()).passwords).toContainEqual({ id: ids.admin });
  const [entry] = await ground.db.query<{ details: string }>(
    "SELECT details FROM audit_entry WHERE action = 'revivedAccessSuspend' AND subject_id = ?",
    [ids.admin],
  );
  expect(entry?.details).toContain('change its password now');
});
