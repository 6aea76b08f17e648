import { chmod, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { migrationsFolder } from '../../../compose/places.ts';
import { startProcess } from '../../../compose/process.ts';
import { audit } from '../../../platform/audit/audit.ts';
import { Database } from '../../../platform/database/database.ts';
import { newestMigration } from '../../../platform/database/migrate.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { readConfig } from '../../../platform/process/config.ts';
import { programVersion } from '../../../platform/process/program-version.ts';
import { openKeyring } from '../../../platform/secrets/keyring.ts';
import { makeKeys } from '../../../platform/secrets/make-keys.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import type { BackendRow } from '../../../subgraphs/relay/control/backends/backend.ts';
import {
  credentialsOf,
  readBackend,
  replaceCredentials,
} from '../../../subgraphs/relay/control/backends/backend-store.ts';
import { sealCredentials } from '../../../subgraphs/relay/control/backends/credentials.ts';
import { openEndpoint } from '../../../subgraphs/relay/control/backends/endpoint.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';
import { runCommand } from './run-command.ts';

let folder: TemporaryFolder;
let empty: TestDatabase;
let migrated: TestDatabase;

beforeAll(async () => {
  folder = await temporaryFolder();
  empty = await testDatabase({ migrated: false });
  migrated = await testDatabase();
});

afterAll(async () => {
  await empty.drop();
  await migrated.drop();
  await folder.remove();
});

async function configFor(database: TestDatabase): Promise<string> {
  const path = join(folder.path, `${database.name}.json`);
  const { socketPath, user, password } = database.connection;
  await writeFile(path, JSON.stringify({ database: { socketPath, user, password, name: database.name } }));
  return path;
}

test('migrate applies missing migrations, and nothing the second time', async () => {
  const config = await configFor(empty);
  const first = await runCommand(['migrate', '--config', config]);
  expect([first.exitCode, first.stdout]).toEqual([0, expect.stringMatching(/^applied relay\/\d{14}_\w+$/m)]);
  const second = await runCommand(['migrate', '--config', config, '--json']);
  expect([second.exitCode, JSON.parse(second.stdout)]).toEqual([0, { applied: [] }]);
});

test('migrate reports an unavailable database, and wrong settings', async () => {
  const env = { TIDEGATE_DATABASE_SOCKET_PATH: join(folder.path, 'nobody.sock') };
  const gone = await runCommand(['migrate'], { env });
  expect([gone.exitCode, gone.stderr]).toEqual([1, expect.stringContaining('tidegate: ')]);
  const wrong = await runCommand(['migrate'], { env: { TIDEGATE_NO_SUCH: 'x' } });
  expect([wrong.exitCode, wrong.stderr]).toEqual([1, expect.stringContaining('TIDEGATE_NO_SUCH')]);
});

test('audit export writes one entry per line, within the requested times', async () => {
  const db = new Database({ connection: migrated.connection });
  for (let count = 0; count < 3; count += 1) {
    await audit(db, {
      identity: null,
      action: `action-${count}`,
      projectId: null,
      outcome: 'ACCEPTED',
      requestId: 'r1',
      details: { count },
    });
  }
  await db.close();
  const config = await configFor(migrated);
  const all = await runCommand(['audit', 'export', '--config', config]);
  expect(all.exitCode).toBe(0);
  const entries = all.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string; details: unknown });
  expect(entries.map((entry) => [entry.action, entry.details])).toEqual([
    ['action-0', { count: 0 }],
    ['action-1', { count: 1 }],
    ['action-2', { count: 2 }],
  ]);
  const none = await runCommand(['audit', 'export', '--config', config, '--to', '2001-01-01T00:00:00Z']);
  expect([none.exitCode, none.stdout]).toEqual([0, '']);
});

test('grants prints the rights that an account of these roles needs, and the roles run with them needs: the roles run with them', async () => {
  const user = `rows_${newUuid().slice(-8)}`;
  const config = JSON.parse(await readFile(await configFor(migrated), 'utf8')) as { database: Record<string, string> };
  const file = join(folder.path, 'relay.json');
  await writeFile(file, JSON.stringify({ ...config, roles: ['system', 'relay'] }));
  const printed = await runCommand(['grants', `${user}@%`, '--config', file]);
  expect(printed.exitCode).toBe(0);
  expect(printed.stdout).toMatch(/^GRANT SELECT, INSERT ON `\w+`\.`audit_entry` TO /m);
  expect((await runCommand(['grants', "x'; DROP", '--config', file])).exitCode).toBe(64);
  const root = await createConnection(migrated.rootConnection);
  const running = new AsyncDisposableStack();
  try {
    await root.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'a password that fits'`);
    for (const statement of printed.stdout.trim().split('\n')) await root.query(statement);
    const keys = join(folder.path, 'grants-keys');
    await makeKeys(keys);
    const flags = {
      ...{ 'database.socketPath': migrated.connection.socketPath, 'database.user': user, 'keys.folder': keys },
      ...{ 'database.password': 'a password that fits', 'database.name': migrated.name, roles: 'system,relay' },
      'redis.path': migrated.redisPath,
    };
    const process = await startProcess(
      readConfig({ flags }, subgraphRows),
      createLogger({ level: 'silent', pretty: false }),
    );
    running.defer(() => process.stop());
    const projectId = await process.access?.firstStart.ensureProject('granted');
    expect(projectId).toBeDefined();
    const { missing } = await process.health.readiness();
    expect(missing).toEqual([]);
    const [registered] = await root.query<object[]>(`SELECT * FROM \`${migrated.name}\`.process_keys WHERE owner = ?`, [
      process.owner,
    ]);
    expect(registered).toMatchObject({
      ...{ name: hostname(), host: hostname(), roles: 'system,relay', version: (await programVersion()).version },
      newest_migration: await newestMigration(migrationsFolder),
    });
  } finally {
    await running.disposeAsync();
    await root.query(`DROP USER IF EXISTS '${user}'@'%'`);
    await root.end();
  }
});

test('clock shows how far the clock is ahead, and an accepted clock is trusted and audited', async () => {
  const config = await configFor(migrated);
  const db = new Database({ connection: migrated.connection });
  try {
    await db.execute('UPDATE trusted_clock SET trusted_at = NOW(3) - INTERVAL 30 DAY');
    const before = await runCommand(['clock', 'show', '--config', config]);
    expect([before.exitCode, before.stdout]).toEqual([0, expect.stringMatching(/^ahead 2592\d{6} ms$/m)]);
    const accepted = await runCommand(['clock', 'accept', '--config', config]);
    expect([accepted.exitCode, accepted.stdout]).toEqual([0, expect.stringMatching(/^trusted \d{4}-/)]);
    expect((await runCommand(['clock', 'show', '--config', config])).stdout).toMatch(/^ahead \d{1,6} ms$/m);
    const entries = await db.query("SELECT actor_kind AS kind, outcome FROM audit_entry WHERE action = 'clockAccept'");
    expect(entries).toEqual([{ kind: 'host', outcome: 'ACCEPTED' }]);
  } finally {
    await db.close();
  }
});

test('keys are created, rotated and listed but never shown; a file that others can read is refused', async () => {
  const keys = join(folder.path, 'keys');
  const made = await runCommand(['keys', 'create', keys]);
  const names = ['subgraphs', 'sealing', 'gateway', 'system', 'audit', 'objects'];
  expect([made.exitCode, made.stdout]).toEqual([0, names.map((name) => `${name}.keys k1\n`).join('')]);
  // Everyone may read the file.
  const shown = await runCommand(['keys', 'list', join(keys, 'public.keys')]);
  expect([shown.exitCode, shown.stdout]).toEqual([0, 'gateway/k1\nsystem/k1\naudit/k1\nobjects/k1\n']);
  const file = join(keys, 'subgraphs.keys');
  const config = await configFor(migrated);
  const rotated = await runCommand(['keys', 'rotate', file]);
  expect([rotated.exitCode, rotated.stdout]).toEqual([0, 'announced k2\n']);
  expect((await runCommand(['keys', 'list', file])).stdout).toBe('k1\nk2\n');
  const activated = await runCommand(['keys', 'rotate', file, '--config', config]);
  expect([activated.exitCode, activated.stdout]).toEqual([0, 'activated k2\n']);
  const early = await runCommand(['keys', 'rotate', file, '--config', config]);
  expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining("k1 can't be removed yet")]);
  const listed = await runCommand(['keys', 'list', file]);
  expect([listed.exitCode, listed.stdout]).toEqual([0, 'k2\nk1\n']);
  const content = JSON.parse(await readFile(file, 'utf8')) as { keys: Record<string, string> };
  for (const secret of Object.values(content.keys)) expect(listed.stdout + rotated.stdout).not.toContain(secret);
  await chmod(file, 0o644);
  const open = await runCommand(['keys', 'list', file]);
  expect([open.exitCode, open.stderr]).toEqual([1, expect.stringContaining('is readable by others')]);
});

test('keys rotate, then reseal: the new key alone opens every credential, and a second run finds nothing to do', async () => {
  const path = join(folder.path, 'keys', 'sealing.keys');
  const db = new Database({ connection: migrated.connection });
  const row = await backendIn(db, 'fw', '192.0.2.1');
  await seal(
    db,
    sealCredentials(createSealer(await openKeyring(path)), row, { username: 'netops', password: 'hunter2' }),
  );
  const config = await configFor(migrated);
  await runCommand(['keys', 'rotate', path]);
  await runCommand(['keys', 'rotate', path, '--config', config]);
  const rotated = 'k2';
  const resealed = await runCommand(['keys', 'reseal', path, '--config', config]);
  expect([resealed.exitCode, resealed.stdout, resealed.stderr]).toEqual([0, '2\n', '']);
  expect((await runCommand(['keys', 'reseal', path, '--config', config])).stdout).toBe('0\n');

  const file = JSON.parse(await readFile(path, 'utf8')) as { keys: Record<string, string>; boundSince: string };
  const { boundSince } = file;
  await writeFile(path, JSON.stringify({ active: rotated, boundSince, keys: { [rotated]: file.keys[rotated] } }));
  expect(await opened(db, path, row.id)).toEqual({ username: 'netops', password: 'hunter2' });
  await db.close();

  async function seal(to: Database, sealed: ReadonlyMap<string, { keyId: string; sealed: Buffer }>): Promise<void> {
    await to.transaction((tx) => replaceCredentials(tx, row.id, sealed));
  }
});

test('for credentials that an earlier version sealed without their address, reseal opens them once, then only with --older', async () => {
  const path = join(folder.path, 'keys', 'sealing.keys');
  const config = await configFor(migrated);
  const db = new Database({ connection: migrated.connection });
  const sealer = createSealer(await openKeyring(path));
  const asBefore = async (name: string) => {
    const { id } = await backendIn(db, name, '192.0.2.7');
    for (const [field, value] of Object.entries({ username: 'netops', password: 'hunter2' })) {
      const { keyId, sealed } = sealer.seal(value, `backend/${id}/${field}`);
      const insert = 'INSERT INTO backend_credential (backend_id, field, key_id, sealed) VALUES (?, ?, ?, ?)';
      await db.execute(insert, [id, field, keyId, sealed]);
    }
    return id;
  };
  const { boundSince: _none, ...older } = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify(older));
  const first = await asBefore('older-1');
  await expect(opened(db, path, first)).rejects.toThrow(/earlier version: run "tidegate keys reseal"/);
  await chmod(join(dirname(path), 'subgraphs.keys'), 0o600);
  await expect(startRelay(path)).rejects.toThrow(/2 stored credentials are sealed without their backend's address/);
  const resealed = await runCommand(['keys', 'reseal', path, '--config', config]);
  expect([resealed.exitCode, resealed.stdout]).toEqual([0, '2\n']);
  expect(resealed.stderr).toMatch(
    /are now bound to the present address of their backend.*\n {2}older-1 \(192\.0\.2\.7:22\)\n/,
  );
  expect(await opened(db, path, first)).toEqual({ username: 'netops', password: 'hunter2' });
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ boundSince: expect.any(String) });

  const second = await asBefore('older-2');
  const refused = await runCommand(['keys', 'reseal', path, '--config', config]);
  expect([refused.exitCode, refused.stdout]).toEqual([1, '0\n']);
  expect(refused.stderr).toMatch(/not resealed: .*--older\)\n {2}older-2 \(192\.0\.2\.7:22\): its credentials/);
  await expect(opened(db, path, second)).rejects.toThrow(/earlier version/);
  const restored = await runCommand(['keys', 'reseal', path, '--config', config, '--older']);
  expect([restored.exitCode, restored.stdout]).toEqual([0, '2\n']);
  expect(await opened(db, path, second)).toEqual({ username: 'netops', password: 'hunter2' });
  await db.close();

  async function startRelay(file: string): Promise<void> {
    const { socketPath, user, password } = migrated.connection;
    const values = {
      ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.password': password },
      ...{ 'database.name': migrated.name, 'redis.path': migrated.redisPath, 'keys.folder': dirname(file) },
      roles: 'relay',
    };
    const running = await startProcess(
      readConfig({ flags: values, env: {} }, subgraphRows),
      createLogger({ level: 'silent', pretty: false }),
    );
    await running.stop();
  }
});

/** A backend without credentials. */
async function backendIn(db: Database, name: string, host: string): Promise<BackendRow> {
  const id = newUuid();
  await db.prisma.backend.create({
    data: {
      ...{ id, projectId: newUuid(), name, liveName: name, family: 'FIREWALL', driver: 'd', ordinal: 1 },
      ...{ host, port: 22, concurrency: 1, queueLimit: 1, deadlineMs: 1000, cryptoProfile: 'MODERN' },
      ...{ provisioningStatus: 'ENABLED', operatingStatus: 'UNKNOWN' },
    },
  });
  const row = await readBackend(db, id);
  if (row === undefined) throw new Error('no backend');
  return row;
}

/** Its credentials, opened with the keys in a file. */
async function opened(db: Database, path: string, id: string) {
  const row = await readBackend(db, id);
  if (row === undefined) throw new Error('no backend');
  const rows = (await credentialsOf(db, [id])).get(id) ?? [];
  return openEndpoint(createSealer(await openKeyring(path)), row, rows).credentials;
}
