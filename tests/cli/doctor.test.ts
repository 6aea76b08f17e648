// `tidegate doctor` against a real database and Redis: a host on which nothing is wrong, and hosts with faults, each named with what mends it.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { writeMachineFile } from '../../platform/machines/machine-file.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../support/stores/database.ts';
import { runCommand } from './commands/run-command.ts';

let folder: TemporaryFolder;
let migrated: TestDatabase;
let empty: TestDatabase;
const path = (...names: readonly string[]) => join(folder.path, ...names);

beforeAll(async () => {
  folder = await temporaryFolder();
  [migrated, empty] = [await testDatabase(), await testDatabase({ migrated: false })];
  await makeKeys(path('keys'));
});

afterAll(async () => {
  await migrated?.drop();
  await empty?.drop();
  await folder?.remove();
});

async function doctor(database: TestDatabase, more: Readonly<Record<string, unknown>> = {}) {
  const { socketPath, user, password } = database.connection;
  const settings = {
    ...{ roles: ['system', 'worker'], 'keys.folder': path('keys'), 'redis.path': database.redisPath },
    ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.password': password },
    ...{ 'database.name': database.name, ...more },
  };
  await writeFile(path('control.json'), JSON.stringify(settings));
  return runCommand(['doctor', '--config', path('control.json')]);
}

test('nothing is wrong', async () => {
  expect(await doctor(migrated)).toEqual({ exitCode: 0, stdout: 'nothing is wrong with this host\n', stderr: '' });
});

test('faults of files, machines, the database and the process are all named, each with what mends it', async () => {
  await mkdir(path('machine'));
  await writeMachineFile(path('machine'), {
    ...{ id: 'M', name: 'c1-system', role: 'system', endpoint: 'https://t.example.net/graphql', token: 't' },
    ...{ expiresAt: '2026-01-01T00:00:00.000Z', certificate: 'c', key: 'k', authority: 'a' },
  });
  await makeKeys(path('few'));
  await rm(path('few/audit.keys'));
  await chmod(path('few/sealing.keys'), 0o644);
  const [ports, watch] = [await freePort(), await freePort()];
  const { exitCode, stdout } = await doctor(empty, {
    ...{ 'internal.machineFolder': path('machine'), 'internal.systemPort': ports, 'watch.port': watch },
    'keys.folder': path('few'),
  });
  const pairs = new Map(
    [...stdout.matchAll(/^(\S.*)\n {2}→ (.*)$/gm)].map(([, wrong = '', mend = '']) => [wrong, mend]),
  );
  const mended = (part: string) => [...pairs].find(([wrong]) => wrong.includes(part))?.[1];
  expect(exitCode).toBe(1);
  expect(mended('without audit.keys')).toContain('tidegate keys create FOLDER');
  expect(mended('others may read the file')).toBe(`run chmod 600 ${path('few/sealing.keys')}`);
  expect(mended('the certificate of the machine c1-system ended')).toContain('machines revoke c1-system');
  expect(mended('the database lacks')).toBe(`bin/tidegate migrate --config ${path('control.json')}`);
  expect(mended(`no process answers at port ${watch}`)).toContain('journalctl -u tidegate@control');
  expect(pairs.size).toBe(5);
});

test('stores that refuse or are away', async () => {
  const away = await doctor(migrated, {
    ...{ 'database.password': 'wrong', 'redis.path': undefined, 'redis.host': '127.0.0.1' },
    'redis.port': await freePort(),
  });
  expect(away.exitCode).toBe(1);
  expect(away.stdout).toMatch(
    /^the database can't be used: it refuses the user or the password\n {2}→ correct .*database\.passwordFile/m,
  );
  expect(away.stdout).toMatch(/^Redis can't be used: .*\n {2}→ correct redis\.host/m);
});

test('an account without rights on the tables', async () => {
  const admin = await createConnection(migrated.rootConnection);
  const account = `doctor${process.pid}`;
  try {
    await admin.query(`CREATE USER ${account}@localhost IDENTIFIED BY 'p'`);
    await admin.query(`GRANT SELECT ON \`${migrated.name}\`._prisma_migrations TO ${account}@localhost`);
    const { exitCode, stdout } = await doctor(migrated, { 'database.user': account, 'database.password': 'p' });
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining(`has no rights on the tables\n  → bin/tidegate grants ${account} `),
    ]);
  } finally {
    await admin.query(`DROP USER IF EXISTS ${account}@localhost`);
    await admin.end();
  }
});

test('wrong settings are named, and nothing else is looked at', async () => {
  const { exitCode, stderr } = await doctor(migrated, { 'listen.port': 'x', colour: 1 });
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/colour[\s\S]*listen\.port|listen\.port[\s\S]*colour/)]);
  expect(await runCommand(['doctor'])).toMatchObject({ exitCode: 64 });
});
