// The migration runner applies migrations once, in order, under a lock, and refuses files that fail verification.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { platformMigrations } from '../../../compose/places.ts';
import { Database } from '../../../platform/database/database.ts';
import { migrate, migrateTables, newestMigration, pendingMigrations } from '../../../platform/database/migrate.ts';
import { areNeighbours, describeProcess } from '../../../platform/database/registered-processes.ts';
import { MigrationError } from '../../../platform/errors/database-errors.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

let place: TestDatabase;
let folder: TemporaryFolder;
let db: Database;

beforeEach(async () => {
  place = await testDatabase({ migrated: false });
  folder = await temporaryFolder();
  db = new Database({ connection: place.connection, connectionLimit: 2 });
});

afterEach(async () => {
  await db.close();
  await place.drop();
  await folder.remove();
});

async function file(name: string, sql: string, owner = 'a'): Promise<void> {
  await mkdir(join(folder.path, owner, name), { recursive: true });
  await writeFile(join(folder.path, owner, name, 'migration.sql'), sql);
}

const ownerOf = (owner: string) => ({ owner, folder: join(folder.path, owner) });
const owners = () => [ownerOf('a')];
const run = () => migrate(place.connection, owners());
const tables = async () =>
  (
    await db.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1',
    )
  )
    .map((row) => row.name)
    .filter((name) => name !== '_prisma_migrations');

test('applies several statements each in order, then nothing more, and adds later migrations', async () => {
  await file('20260102000000_b', 'INSERT INTO a VALUES (1); INSERT INTO a VALUES (2);');
  await file('20260101000000_a', '-- first\nCREATE TABLE a (id INT PRIMARY KEY);');
  expect(await pendingMigrations(db, owners())).toEqual(['a/20260101000000_a', 'a/20260102000000_b']);
  expect(await run()).toEqual(['a/20260101000000_a', 'a/20260102000000_b']);
  expect(await db.query('SELECT id FROM a')).toEqual([{ id: 1 }, { id: 2 }]);
  expect(await run()).toEqual([]);
  await file('20260103000000_c', 'CREATE TABLE c (id INT)');
  expect(await pendingMigrations(db, owners())).toEqual(['a/20260103000000_c']);
  expect(await run()).toEqual(['a/20260103000000_c']);
});

test('refuses a file that was edited after it was applied', async () => {
  await file('1_a', 'CREATE TABLE a (id INT)');
  await run();
  await file('1_a', 'CREATE TABLE a (id BIGINT)');
  await file('2_b', 'CREATE TABLE b (id INT)');
  await expect(run()).rejects.toThrow(/migration a\/1_a was edited after it was applied: restore the file/);
  expect(await tables()).toEqual(['a']);
});

test('refuses a database of a newer version', async () => {
  await file('1_a', 'CREATE TABLE a (id INT)');
  await run();
  await db.execute(
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'y', 'a/9_future', NOW())",
  );
  await file('2_b', 'CREATE TABLE b (id INT)');
  const newer = /a\/9_future, which this version does not know: it belongs to a newer version/;
  await expect(run()).rejects.toThrow(newer);
  // A start only checks for pending migrations.
  await expect(pendingMigrations(db, owners())).rejects.toThrow(newer);
  expect(await pendingMigrations(db, [])).toEqual([]);
  expect(await tables()).toEqual(['a']);
});

test('a process of the version before works on, starts and migrates, if the newer version only added to the tables', async () => {
  await file('1_a', 'CREATE TABLE a (id INT)');
  await run();
  await file('2_b', 'ALTER TABLE a ADD COLUMN b INT NULL');
  expect(await run()).toEqual(['a/2_b']);
  const before = { owner: 'a', folder: join(folder.path, 'before') };
  await file('1_a', 'CREATE TABLE a (id INT)', 'before');
  expect(await pendingMigrations(db, [before])).toEqual([]);
  expect(await migrate(place.connection, [before])).toEqual([]);
  await file('3_c', 'ALTER TABLE a DROP COLUMN id');
  await run();
  const newer = /a\/3_c, which this version does not know: it belongs to a newer version/;
  await expect(pendingMigrations(db, [before])).rejects.toThrow(newer);
  await expect(migrate(place.connection, [before])).rejects.toThrow(newer);
});

test('the table of a version that recorded no expansions gets the column', async () => {
  await file('1_a', 'CREATE TABLE a (id INT)');
  await run();
  await db.execute('ALTER TABLE _prisma_migrations DROP COLUMN expands');
  expect(await pendingMigrations(db, owners())).toEqual([]);
  await file('2_b', 'CREATE TABLE b (id INT)');
  expect(await run()).toEqual(['a/2_b']);
  expect(await db.query('SELECT expands FROM _prisma_migrations ORDER BY migration_name')).toEqual([
    { expands: null },
    { expands: 1 },
  ]);
});

test.each(['a/20261120080000_foundation', '20261120080000_foundation'])(
  'refuses a database from before the first release, with the migration %s',
  async (name) => {
    await file('20261201000000_init', 'CREATE TABLE a (id INT)');
    await migrate(place.connection, []);
    await db.execute(
      "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'y', ?, NOW())",
      [name],
    );
    await expect(run()).rejects.toThrow(
      `the database has the migration ${name}, of a version before the first release, which can't be upgraded: start with an empty database`,
    );
    expect(await tables()).toEqual([]);
  },
);

test('tables of other owners that exist are updated, and no others are created', async () => {
  for (const owner of ['a', 'b', 'c']) await file('1_first', `CREATE TABLE ${owner}1 (id INT)`, owner);
  await migrate(place.connection, [ownerOf('a'), ownerOf('b')]);
  for (const owner of ['a', 'b', 'c']) await file('2_second', `CREATE TABLE ${owner}2 (id INT)`, owner);
  const every = [ownerOf('a'), ownerOf('b'), ownerOf('c')];
  expect(await migrate(place.connection, [ownerOf('a')], every)).toEqual(['a/2_second', 'b/2_second']);
  expect(await tables()).toEqual(['a1', 'a2', 'b1', 'b2']);
});

test('a failed migration is named with the reason, remembered, and not run again over its first half', async () => {
  await file('1_a', 'CREATE TABLE a (id INT); CREATE TABLE a (id INT);');
  await file('2_b', 'CREATE TABLE b (id INT)');
  const failure = await run().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(MigrationError);
  expect((failure as Error).message).toMatch(/migration a\/1_a failed: .*already exists/);
  const [row] = await db.query<{ logs: string }>('SELECT logs, finished_at FROM _prisma_migrations');
  expect(row).toMatchObject({ finished_at: null, logs: expect.stringContaining('already exists') });
  await expect(run()).rejects.toThrow(/a\/1_a failed half-way before: correct the database by hand/);
  expect(await tables()).toEqual(['a']);
  // An operator who has corrected the database does this.
  await db.execute('UPDATE _prisma_migrations SET finished_at = NOW(), applied_steps_count = 1');
  expect(await run()).toEqual(['a/2_b']);
});

test('a runner that is killed at any statement leaves nothing to correct: the next one goes on there', async () => {
  const steps = [
    'CREATE TABLE a (id INT)',
    'INSERT INTO a VALUES (1)',
    'ALTER TABLE a ADD COLUMN b INT NULL',
    'CREATE INDEX c ON a (b)',
    'UPDATE a SET id = id + 1',
    'ALTER TABLE a DROP INDEX c',
    'ALTER TABLE a RENAME COLUMN b TO d',
  ];
  await file('1_a', `${steps.join(';\n')};\n`);
  await run();
  const whole = async () => [await db.query('SHOW CREATE TABLE a'), await db.query('SELECT * FROM a')];
  const wanted = await whole();
  for (let done = 0; done < steps.length; done += 1)
    // The count of a statement that changes rows is written with it.
    for (const isCounted of /^(INSERT|UPDATE|ALTER TABLE a RENAME)/.test(steps[done] ?? '') ? [true] : [true, false]) {
      await db.execute('DROP TABLE IF EXISTS a');
      for (const step of steps.slice(0, isCounted ? done : done + 1)) await db.execute(step);
      await db.execute('UPDATE _prisma_migrations SET finished_at = NULL, applied_steps_count = ?', [done]);
      expect(await run()).toEqual(['a/1_a']);
      expect({ done, isCounted, found: await whole() }).toEqual({ done, isCounted, found: wanted });
    }
});

test('two concurrent runners apply each migration once', async () => {
  for (let number = 1; number <= 5; number += 1)
    await file(`${number}_t`, `CREATE TABLE t${number} (id INT); INSERT INTO t${number} VALUES (1)`);
  const applied = (await Promise.all([run(), run(), run()])).flat();
  expect(applied.sort()).toEqual(['a/1_t', 'a/2_t', 'a/3_t', 'a/4_t', 'a/5_t']);
  for (let number = 1; number <= 5; number += 1)
    expect(await db.query(`SELECT id FROM t${number}`)).toEqual([{ id: 1 }]);
});

describe('a migration that removes something', () => {
  const later = '30000102000000_b';
  const addAfterwards = '30000103000000_c';
  const processKeys = (owner: string, columns: string, values: string) =>
    db.execute(
      `INSERT INTO process_keys (owner, name, \`keys\`${columns}) VALUES ('${owner}', '${owner}', '{}'${values})`,
    );
  const both = () => [platformMigrations, ...owners()];
  const runBoth = async () => {
    const { applied, waiting } = await migrateTables(place.connection, both());
    return { applied, waits: waiting?.processes.map(describeProcess) ?? [] };
  };

  beforeEach(async () => {
    await file('30000101000000_a', 'CREATE TABLE a (id INT, old INT)');
    await runBoth();
    await file(later, 'ALTER TABLE a DROP COLUMN old');
    await file(addAfterwards, 'ALTER TABLE a ADD COLUMN b INT NULL');
  });

  test('waits for live processes that do not know it, names them, and lets new ones start', async () => {
    const columns = ', version, roles, host, newest_migration';
    await processKeys('old', columns, ", '0.3.1', 'system,worker', 'host-1', '30000101000000_a'");
    await processKeys('0.2', '', '');
    await processKeys('new', columns, `, '0.2.9', 'relay', 'host-2', '${later}'`);
    // It has crashed: its leases have ended.
    await processKeys('dead', ', at', ', NOW(3) - INTERVAL 61 SECOND');
    await db.execute(
      "INSERT INTO lease (name, token, owner, expires_at) VALUES ('process/process/starts', UUID(), 'starts', NOW(3) + INTERVAL 5 SECOND)",
    );
    const waits = ['starts (it starts)', '0.2 (version 0.2.0)', 'old (system,worker on host-1, version 0.3.1)'];
    expect(await runBoth()).toEqual({ applied: [`a/${addAfterwards}`], waits });
    expect(await runBoth()).toEqual({ applied: [], waits });
    expect(await pendingMigrations(db, both())).toEqual([]);
    await db.execute("DELETE FROM process_keys WHERE owner IN ('0.2', 'old')");
    expect((await runBoth()).waits).toEqual(['starts (it starts)']);
    await db.execute('DELETE FROM lease');
    expect(await runBoth()).toEqual({ applied: [`a/${later}`], waits: [] });
    expect(
      await db.query(
        "SELECT finished_at IS NOT NULL AS done, logs FROM _prisma_migrations WHERE migration_name LIKE 'a/%b'",
      ),
    ).toEqual([{ done: 1, logs: null }]);
  });

  test('is announced before it runs: an older process does not start from then on, and a dead runner leaves nothing to correct', async () => {
    await db.execute(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, expands, logs) VALUES ('x', 'y', 'a/${later}', 0, 'announced: nothing is changed yet')`,
    );
    const before = { owner: 'a', folder: join(folder.path, 'before') };
    await file('30000101000000_a', 'CREATE TABLE a (id INT, old INT)', 'before');
    await expect(pendingMigrations(db, [before])).rejects.toThrow(`a/${later}, which this version does not know`);
    expect((await runBoth()).applied).toEqual([`a/${addAfterwards}`, `a/${later}`]);
  });

  test('of an owner whose tables nobody has yet does not wait', async () => {
    await processKeys('0.2', '', '');
    await file('30000101000000_a', 'CREATE TABLE x (id INT); ALTER TABLE x ADD CONSTRAINT c CHECK (id > 0)', 'x');
    expect((await migrateTables(place.connection, [platformMigrations, ownerOf('x')])).applied).toEqual([
      'x/30000101000000_a',
    ]);
  });
});

test('nothing is migrated while a process lives with which this version can not run', async () => {
  await migrate(place.connection, [platformMigrations]);
  await file('1_a', 'CREATE TABLE a (id INT)');
  await db.execute(
    "INSERT INTO process_keys (owner, name, `keys`, version, roles, host) VALUES ('x', 'far', '{}', '0.9.2', 'relay,worker', 'host-1')",
  );
  const version = '0.4.0';
  const runVersion = async () => (await migrateTables(place.connection, owners(), [], { version })).applied;
  await expect(runVersion()).rejects.toThrow(
    `version ${version} can't run beside far (relay,worker on host-1, version 0.9.2): only neighbouring releases run at the same time. Upgrade release by release, or stop all processes first`,
  );
  expect(await tables()).not.toContain('a');
  await db.execute('UPDATE process_keys SET at = NOW(3) - INTERVAL 61 SECOND');
  expect(await runVersion()).toEqual(['a/1_a']);
});

test('the tables of 0.2.0, with its processes, are upgraded', async () => {
  await migrate(place.connection, [platformMigrations]);
  await db.execute(
    'ALTER TABLE process_keys DROP version, DROP commit_hash, DROP roles, DROP host, DROP newest_migration',
  );
  await db.execute("DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_registered_processes'");
  await db.execute("INSERT INTO process_keys (owner, name, `keys`) VALUES ('x', 'control-1', '{}')");
  const applied = 'platform/20270105000000_registered_processes';
  expect((await migrateTables(place.connection, [platformMigrations], [], { version: '0.3.0' })).applied).toEqual([
    applied,
  ]);
});

test.each([
  ['0.2.0', '0.2.9', true],
  ['0.2.0', '0.3.1', true],
  ['0.4.0', '0.2.0', false],
  ['0.9.0', '1.0.3', true],
  ['0.9.0', '1.1.0', false],
  ['2.0.0', '0.9.0', false],
])('%s and %s run at the same time: %s', (one, other, may) => {
  expect([areNeighbours(one, other), areNeighbours(other, one)]).toEqual([may, may]);
});

test('the newest migration of a program is that of any owner', async () => {
  await file('20260102000000_b', 'SELECT 1', 'b');
  await file('20260103000000_a', 'SELECT 1', 'a');
  await file('20260101000000_c', 'SELECT 1', 'c');
  expect(await newestMigration(folder.path)).toBe('20260103000000_a');
});
