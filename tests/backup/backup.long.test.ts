// A database that is backed up while it is written to, and restored to a moment.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { manifestSum, writeLogIndex } from '../../backup/log-index.ts';
import { FolderPlace } from '../../backup/place.ts';
import { writeSealed } from '../../backup/sealed-file.ts';
import { platformMigrations } from '../../compose/places.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { openKeyring } from '../../platform/secrets/keyring.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { objectClusterMigrations } from '../../subgraphs/object-storage/engine/store/owner.ts';
import { runCommand } from '../cli/commands/run-command.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { BackedUp, idsIn } from './support/backed-up.ts';

let world: BackedUp;
/** Between the second and the third row. */
let moment: Date;

beforeAll(async () => {
  world = await BackedUp.start();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

test('a backup, its log and a moment in it: the restored database has what was committed before, and nothing else', async () => {
  await world.write(1);
  const first = await world.create();
  expect([first.exitCode, first.stdout, first.stderr]).toEqual([
    0,
    expect.stringMatching(/^backup \d{4}-\d\d-\d\dT[\d-]+Z: [\d.]+ MiB, newest write 20\S+, copied until \S+\n$/),
    '',
  ]);
  // It has checked in: people are told when backups stop.
  const [rule] = await world.sql.query('SELECT checked_in_at IS NOT NULL AS in_time FROM alert_rule');
  expect(rule).toEqual({ in_time: 1 });
  await world.sql.query("CREATE USER later@localhost IDENTIFIED BY 'x'");
  await world.write(2);
  moment = await world.nextSecond();
  await world.write(3);
  const second = await world.create('--json');
  expect([second.exitCode, second.stderr, JSON.parse(second.stdout)]).toEqual([
    ...[0, ''],
    expect.objectContaining({ pieces: expect.any(Number), deleted: [], notes: [] }),
  ]);
  expect(await world.backups()).toHaveLength(2);
  const restored = await world.restore('at-a-moment', '--at', moment.toISOString());
  expect([restored.exitCode, restored.stderr]).toEqual([0, '']);
  expect(restored.stdout).toMatch(/^newest write: 20\S+ \(\d+ s ago\)$/m);
  await world.onRestored('at-a-moment', async (sql) => {
    expect(await idsIn(sql)).toEqual([1, 2]);
    const accounts = await sql.query("SELECT user AS name FROM mysql.user WHERE user IN ('later', 'tidegate_restore')");
    expect(accounts).toEqual([{ name: 'later' }]);
    // Nobody may take it for the database that had the third row.
    const timelines = await sql.query('SELECT lossy, cause, lifted_at AS liftedAt FROM db_timeline ORDER BY epoch');
    expect(timelines.at(-1)).toEqual({ lossy: 1, cause: 'RESTORE', liftedAt: null });
  });
}, 120_000);

test('verify rebuilds the newest backup with its log, starts on it, says how old its newest write is, and marks it', async () => {
  const verified = await world.verify();
  expect([verified.exitCode, verified.stderr]).toEqual([0, '']);
  expect(verified.stdout).toMatch(
    / is whole: \d{2,} tables, \d files of the log\nquiet start: the graph answers \(projects 1, users 0, backends 0, loadBalancers 0, gslbs 0, objectClusters 0\)\nnewest write: 20\S+ \(\d+ s ago\)\n$/,
  );
  const newest = (await world.backups()).at(-1) ?? '';
  expect(JSON.parse(await readFile(join(newest, 'verified.json'), 'utf8'))).toMatchObject({
    manifest: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
}, 120_000);

test('a key folder that lacks files skips the quiet start and says so; a process that does not work proves nothing', async () => {
  const few = world.path('few-keys');
  await mkdir(few);
  await cp(world.path('keys', 'sealing.keys'), join(few, 'sealing.keys'));
  const words = ['--keys-folder', few, '--identity', world.path('backup.key')];
  const skipped = await world.verify(undefined, words);
  expect([skipped.exitCode, skipped.stdout.split('\n')[1]]).toEqual([
    0,
    expect.stringMatching(
      /^quiet start skipped: \S+few-keys: without .*system\.keys.*: give the folder of all key files$/,
    ),
  ]);
  const folder = await changed('unreadable-keys', async () => undefined);
  for (const name of ['public.keys', 'subgraphs.keys', 'system.keys'])
    await cp(world.path('keys', name), join(few, name));
  await writeFile(join(few, 'system.keys'), '{"format":1,"keys":{}}', { mode: 0o600 });
  const unusable = await world.verify(folder, words);
  expect([unusable.exitCode, unusable.stdout, unusable.stderr]).toEqual([
    ...[1, ''],
    expect.stringMatching(/no process works on the copy in quiet mode: .*system\.keys/s),
  ]);
  expect(await readdir(folder)).not.toContain('verified.json');
}, 120_000);

/** A changed copy of the newest backup. */
async function changed(name: string, change: (folder: string) => Promise<void>): Promise<string> {
  const folder = world.path('changed', name);
  await mkdir(world.path('changed'), { recursive: true });
  await cp((await world.backups()).at(0) ?? '', folder, { recursive: true });
  await change(folder);
  return folder;
}

async function flipBit(path: string, at = 0.5): Promise<void> {
  const bytes = await readFile(path);
  const place = Math.floor(bytes.length * at);
  bytes.writeUInt8(bytes.readUInt8(place) ^ 4, place);
  await writeFile(path, bytes);
}

const data = 'data.mbstream.zst.age';

test.each<[what: string, change: (folder: string) => Promise<void>, words: RegExp]>([
  ['a copy that was cut off', (folder) => truncate(join(folder, data), 1_000), /zst\.age is cut off: it has 1000 of/],
  ['a changed bit of the copy', (folder) => flipBit(join(folder, data)), /zst\.age was changed/],
  ['a changed bit of the log', (folder) => flipBit(join(folder, 'log', '000001.age')), /000001\.age was changed/],
  ['a missing piece of the log', (folder) => rm(join(folder, 'log', '000001.age')), /000001\.age is missing/],
  [
    'a changed bit of the manifest',
    (folder) => flipBit(join(folder, 'manifest.json')),
    /manifest\.json was (?:cut|edited)/,
  ],
  ['a changed bit of the list', (folder) => flipBit(join(folder, 'log.json'), 0.9), /log\.json was (?:cut|edited)/],
  [
    'a space in the manifest',
    (folder) => appended(join(folder, 'manifest.json')),
    /manifest\.json was cut off or edited/,
  ],
  ['no list of the log', (folder) => rm(join(folder, 'log.json')), /log\.json is missing/],
  [
    'the list of another backup',
    async (folder) => cp(join((await world.backups()).at(-1) ?? '', 'log.json'), join(folder, 'log.json')),
    /log\.json belongs to another backup/,
  ],
])('%s is refused, and no mark is written', async (what, change, words) => {
  const folder = await changed(what.replaceAll(' ', '-'), change);
  const { exitCode, stdout, stderr } = await world.verify(folder);
  expect([exitCode, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)]);
  expect(await readdir(folder)).not.toContain('verified.json');
});

const appended = async (path: string) => writeFile(path, `${await readFile(path, 'utf8')} `);

test('a restore names every fault at once, and leaves nothing', async () => {
  const to = world.path('not-empty');
  await mkdir(to);
  await writeFile(join(to, 'mine'), '');
  const folder = await changed('several', async (each) => {
    await flipBit(join(each, data));
    await flipBit(join(each, 'log', '000001.age'));
  });
  const words = ['--to', to, ...world.openingWords, '--at', '2001-01-01T00:00:00Z'];
  const { exitCode, stderr } = await runCommand(['restore', folder, ...words]);
  expect([exitCode, stderr.trim().split('\n')]).toEqual([
    1,
    [
      expect.stringMatching(/not-empty is not empty: give a folder that is empty or missing/),
      expect.stringMatching(/--at: 2001\S+ is before the end of this copy/),
      expect.stringMatching(/zst\.age was changed/),
      expect.stringMatching(/000001\.age was changed/),
    ],
  ]);
  expect(await readdir(to)).toEqual(['mine']);
  const late = await world.restore('late', '--at', '2100-01-01T00:00:00Z');
  expect([late.exitCode, late.stderr]).toEqual([
    1,
    expect.stringMatching(/is after the archived log, which ends at 20/),
  ]);
  expect((await readdir(world.path())).filter((name) => name.includes('late'))).toEqual([]);
});

test('a backup of a newer version, and of another MariaDB, is refused', async () => {
  const keys = await openKeyring(world.path('keys', 'sealing.keys'));
  const folder = await changed('newer', async (each) => {
    const { seal: _, ...manifest } = JSON.parse(await readFile(join(each, 'manifest.json'), 'utf8'));
    const { pieces, coveredUntil } = JSON.parse(await readFile(join(each, 'log.json'), 'utf8'));
    const migrations = [
      ...manifest.migrations,
      { name: 'platform/20990101000000_added', expands: true },
      { name: 'platform/20990101000001_dropped', expands: false },
    ];
    const newer = { ...manifest, migrations, product: { version: '9.0.0' }, server: { version: '99.1.2', host: 'db' } };
    const place = new FolderPlace(each);
    await writeSealed(place, 'manifest.json', newer, keys);
    await writeLogIndex(place, { manifest: await manifestSum(place), pieces, coveredUntil }, keys);
  });
  const { exitCode, stderr } = await runCommand([
    'restore',
    folder,
    '--to',
    world.path('newer'),
    ...world.openingWords,
  ]);
  expect([exitCode, stderr]).toEqual([
    1,
    expect.stringMatching(
      /is of version 9\.0\.0 and has migrations that this version does not know \(platform\/20990101000001_dropped\).*\n.*is of MariaDB 99\.1, and 1\d\.\d+ is installed/,
    ),
  ]);
});

test('the keys of another installation, and another private key, are refused', async () => {
  const foreign = world.path('foreign-keys');
  await makeKeys(foreign);
  const other = world.path('other.key');
  await runCommand(['backup', 'key', other]);
  const backups = world.path('backups');
  const wrongKeys = await world.verify(backups, ['--keys-folder', foreign, '--identity', world.path('backup.key')]);
  expect([wrongKeys.exitCode, wrongKeys.stderr]).toEqual([
    1,
    expect.stringMatching(/belongs to an installation with other keys/),
  ]);
  const wrongIdentity = await world.verify(backups, ['--keys-folder', world.path('keys'), '--identity', other]);
  expect([wrongIdentity.exitCode, wrongIdentity.stderr]).toEqual([
    1,
    expect.stringMatching(/can't be opened with this private key/),
  ]);
});

test('a folder with other files, an object store, a key that is none and a database elsewhere are refused beforehand', async () => {
  const foreign = world.path('foreign');
  await mkdir(foreign);
  await writeFile(join(foreign, 'letters'), '');
  const elsewhere = world.path('elsewhere.json');
  const { database, ...settings } = JSON.parse(await readFile(world.config, 'utf8'));
  const socketPath = world.path('nobody.sock');
  await writeFile(elsewhere, JSON.stringify({ ...settings, database: { ...database, socketPath } }));
  const refusal = async (to: string, recipient: string, config: string) => {
    const words = ['backup', 'create', '--to', to, '--recipient', recipient, '--config', config];
    const { exitCode, stderr } = await runCommand(words);
    return [exitCode, stderr];
  };
  expect(await refusal(foreign, world.recipient, world.config)).toEqual([
    1,
    expect.stringMatching(/has other files \(letters\): give a folder for backups alone/),
  ]);
  expect(await refusal('ftp://host/backups', 'age1none', world.config)).toEqual([
    1,
    expect.stringMatching(/age1none is no recipient of age.*\n.*ftp:\S+ is neither a folder nor s3:/),
  ]);
  expect(await refusal(world.path('new'), world.recipient, elsewhere)).toEqual([
    1,
    expect.stringMatching(/reads the database's data folder.*nobody\.sock.*: run this on the database's host/),
  ]);
  expect(await readdir(foreign)).toEqual(['letters']);
  expect(await readdir(world.path())).not.toContain('new');
});

test('the database of an object storage cluster is refused, because no restore would take the backup', async () => {
  const name = 'of_a_cluster';
  await world.sql.query(`CREATE DATABASE ${name}`);
  await migrate({ ...world.location, database: name }, [platformMigrations, objectClusterMigrations]);
  const config = world.path('cluster.json');
  const { database, ...settings } = JSON.parse(await readFile(world.config, 'utf8'));
  await writeFile(config, JSON.stringify({ ...settings, roles: ['objectserver'], database: { ...database, name } }));
  const words = ['--to', world.path('of-a-cluster'), '--recipient', world.recipient, '--config', config];
  const { exitCode, stdout, stderr } = await runCommand(['backup', 'create', ...words]);
  expect([exitCode, stdout, stderr]).toEqual([
    ...[1, ''],
    expect.stringMatching(
      /^tidegate: the database has tables of object-cluster, which no restore accepts: .*--recover/,
    ),
  ]);
  expect(await readdir(world.path())).not.toContain('of-a-cluster');
  // A copy has all databases of the server.
  await world.sql.query(`DROP DATABASE ${name}`);
}, 60_000);

test('the key files go into one file under a passphrase, and come back as they were', async () => {
  const passphrase = world.path('passphrase');
  await writeFile(passphrase, 'correct horse battery staple\n');
  // The account of docs/restore.md.
  await world.sql.query("CREATE USER backup@localhost IDENTIFIED BY 'of the backup'");
  const account = ['--database-user', 'backup', '--database-password-file', world.path('password')];
  await writeFile(world.path('password'), 'of the backup');
  const escrow = ['--keys-to', world.path('escrow'), '--keys-passphrase-file', passphrase];
  const denied = await world.create(...account, ...escrow);
  expect([denied.exitCode, denied.stderr]).toEqual([1, expect.stringMatching(/needs: GRANT RELOAD, PROCESS/)]);
  const page = await readFile(join(import.meta.dirname, '../../docs/restore.md'), 'utf8');
  for (const grant of page.match(/^GRANT .*$/gm) ?? []) await world.sql.query(grant);
  const made = await world.create(...account, ...escrow);
  expect([made.exitCode, made.stderr]).toEqual([0, '']);
  const [file = ''] = await readdir(world.path('escrow'));
  const words = ['keys', 'restore', world.path('escrow', file), '--to', world.path('keys-again')];
  const wrong = world.path('wrong');
  await writeFile(wrong, 'another');
  const refused = await runCommand([...words, '--keys-passphrase-file', wrong]);
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/its passphrase is another one/)]);
  expect((await runCommand([...words, '--keys-passphrase-file', passphrase])).exitCode).toBe(0);
  // Beside the keys, processes remember commits.
  const names = (await readdir(world.path('keys'))).filter((name) => name.endsWith('.keys'));
  expect(names).toHaveLength(7);
  for (const name of names)
    expect(await readFile(world.path('keys-again', name), 'utf8')).toBe(
      await readFile(world.path('keys', name), 'utf8'),
    );
}, 60_000);

test('old backups go only once newer ones were verified', async () => {
  const before = await world.backups();
  const kept = await world.create('--keep', '1');
  // The second one was verified, so the first may go; nobody has verified the later ones.
  expect([kept.exitCode, kept.stdout.match(/^deleted .*$/gm)]).toEqual([
    0,
    [`deleted ${before[0]?.split('/').at(-1)}`],
  ]);
  expect((await world.backups()).slice(0, -1)).toEqual(before.slice(1));
}, 60_000);

test('a log that the server has deleted ends the archive, and a full copy begins a new one', async () => {
  await world.write(10);
  await world.sql.query('RESET MASTER');
  await world.write(11);
  const made = await world.create();
  expect([made.exitCode, made.stderr]).toEqual([
    0,
    expect.stringMatching(/^tidegate: the log of the backup \S+ ends: .*; a full copy begins a new one\n$/),
  ]);
  await rename(world.path('backups'), world.path('backups-before'));
}, 60_000);

test('a backup that is cut off leaves nothing, and the next one begins anew', async () => {
  const run = world.startCreate('--mebi-per-second', '1');
  await waitFor('the copy', async () => (await world.leftOver()).includes('.unfinished'));
  const second = await world.create();
  expect([second.exitCode, second.stderr]).toEqual([1, expect.stringMatching(/process \d+ writes to \S+: try again/)]);
  run.interrupt();
  expect(await run.exitCode).toBe(130);
  expect([await world.leftOver(), await world.backups()]).toEqual([[], []]);
  expect((await world.create()).exitCode).toBe(0);
}, 60_000);

test('a backup gets the processor after those who serve calls', async () => {
  const words = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../../bin/tidegate.ts')];
  const child = spawn(process.execPath, [...words, ...world.createWords, '--mebi-per-second', '1'], {
    stdio: 'ignore',
    // As a service has it: a session of its own.
    detached: true,
  });
  const exited = once(child, 'exit');
  await waitFor('the copy', async () => (await world.leftOver()).includes('.unfinished'));
  const threads = await readdir(`/proc/${child.pid}/task`);
  const niceness = new Set(threads.map((thread) => getPriority(Number(thread))));
  const session = await readFile(`/proc/${child.pid}/autogroup`, 'utf8').catch(() => 'no groups: nice 5');
  child.kill();
  await exited;
  expect([niceness, session.trim().endsWith('nice 5')]).toEqual([new Set([10]), true]);
}, 60_000);

test('a log of 200,000 transactions in one file is archived and applied', async () => {
  expect((await world.create()).exitCode).toBe(0);
  await world.sql.query(
    'BEGIN NOT ATOMIC FOR id IN 1000001 .. 1200000 DO INSERT INTO written (id, note) VALUES (id, ""); END FOR; END',
  );
  const archived = world.startCreate('--schedule', '--every', '24');
  await waitFor('the log', () => `${archived.stdout()}${archived.stderr()}` !== '', 60_000);
  archived.interrupt();
  expect([await archived.exitCode, archived.stderr()]).toEqual([0, '']);
  const restored = await world.restore('many');
  expect([restored.exitCode, restored.stderr]).toEqual([0, '']);
  const ids = await world.onRestored('many', idsIn);
  expect(ids.filter((id) => id > 1_000_000)).toHaveLength(200_000);
}, 180_000);

test('a schedule goes on until a signal, archives the log, and makes no second copy before it is due', async () => {
  const before = await world.backups();
  await world.write(20);
  const run = world.startCreate('--schedule', '--every', '24');
  await waitFor('the log', () => run.stdout().includes('new files'));
  run.interrupt();
  expect([await run.exitCode, run.stderr()]).toEqual([0, '']);
  expect(run.stdout()).toMatch(/^log of \S+: 1 new files\n$/);
  expect(await world.backups()).toEqual(before);
  expect(await world.leftOver()).toEqual([]);
}, 60_000);
