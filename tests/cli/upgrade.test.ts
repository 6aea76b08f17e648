// `tidegate upgrade` on a real database, with the rows that processes of other versions register there.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { faultsOf, type Installation, lookAt, type Program } from '../../cli/upgrade/look.ts';
import { stepsOf } from '../../cli/upgrade/steps.ts';
import { UpgradeRun } from '../../cli/upgrade/upgrade-run.ts';
import { migrationsFolder, platformMigrations } from '../../compose/places.ts';
import { Database } from '../../platform/database/database.ts';
import { migrate, newestMigration } from '../../platform/database/migrate.ts';
import { lastRelease } from '../../platform/database/migration-plan.ts';
import { readConfig } from '../../platform/process/config.ts';
import { programVersion } from '../../platform/process/program-version.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../support/stores/database.ts';
import { runCommand, startCommand } from './commands/run-command.ts';

let folder: TemporaryFolder;
let place: TestDatabase;
let db: Database;
let program: Program;
let config: string;

const before = { version: lastRelease.version, newestMigration: lastRelease.newestMigration };
const ready = 'and wait until its /health/ready is 200';

beforeAll(async () => {
  folder = await temporaryFolder();
  const { version, commit } = await programVersion();
  program = { version, commit, newestMigration: await newestMigration(migrationsFolder) };
});

afterAll(() => folder.remove());

async function open(options?: { readonly migrated: boolean }): Promise<void> {
  place = await testDatabase(options);
  db = new Database({ connection: place.connection, connectionLimit: 2 });
  const { socketPath, user, password } = place.connection;
  config = join(folder.path, `${place.name}.json`);
  await writeFile(config, JSON.stringify({ database: { socketPath, user, password, name: place.name } }));
}

afterEach(async () => {
  await db.close();
  await place.drop();
});

/** A process that has registered a minute ago, after another one of its name has ended. */
async function starts(
  name: string,
  what: Pick<Program, 'version' | 'newestMigration'>,
  at = 'host-1 system',
  seconds = 60,
) {
  await ends(name);
  const [host = '', roles = ''] = at.split(' ');
  await db.execute(
    "INSERT INTO process_keys (owner, name, `keys`, version, roles, host, newest_migration, started_at) VALUES (?, ?, '{}', ?, ?, ?, ?, NOW(3) - INTERVAL ? SECOND)",
    [newUuid(), name, what.version, roles, host, what.newestMigration, seconds],
  );
}

const ends = (name: string) => db.execute('DELETE FROM process_keys WHERE name = ?', [name]);
const upgrade = (...flags: string[]) => runCommand(['upgrade', '--config', config, ...flags]);

describe('the command', () => {
  beforeEach(() => open());

  test('adds to the tables of the version before, says what to restart, and does not wait for it', async () => {
    await db.execute(
      'ALTER TABLE process_keys DROP version, DROP commit_hash, DROP roles, DROP host, DROP newest_migration',
    );
    await db.execute("DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_registered_processes'");
    await db.execute("INSERT INTO process_keys (owner, name, `keys`) VALUES ('x', 'control-1', '{}')");
    const next = `next: restart control-1 (version 0.2.0) in version ${program.version}, ${ready}`;
    const state = `0 of 1 processes with the database run version ${program.version}`;
    const applied = 'platform/20270105000000_registered_processes';
    const stdout = `applied ${applied}\nto restart: control-1 (version 0.2.0)\n${state}\n${next}\n`;
    expect(await upgrade()).toEqual({ exitCode: 0, stdout, stderr: '' });
    const again = await upgrade('--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      state: 'RESTART',
      applied: [],
      left: [{ name: 'control-1', version: null }],
    });
    expect(await upgrade('--wait', '1')).toMatchObject({
      exitCode: 4,
      stderr: `tidegate: not finished within 1 s: ${next}\n`,
    });
    expect(await upgrade('--finish')).toMatchObject({ exitCode: 1, stderr: `tidegate: not finished: ${next}\n` });
    expect(await upgrade('--finish', '--back')).toMatchObject({ exitCode: 64 });
  });

  test('follows the restarts, subgraphs before gateways and host by host, and goes on after an interruption', async () => {
    const places = { a: 'host-1 gateway,system', b: 'host-2 worker', c: 'host-1 system' };
    for (const [name, at] of Object.entries(places)) await starts(name, before, at);
    const restarted: string[] = [];
    const follow = async (...flags: string[]) => {
      const run = startCommand(['upgrade', '--config', config, '--wait', '60', ...flags]);
      const says = (words: string) => waitFor(words, async () => run.stdout().includes(words));
      const turn = async (name: keyof typeof places, what: typeof before) => {
        await says(`next: restart ${name} `);
        await ends(name);
        await says(`waits for ${name}: start it in version ${what.version}\n`);
        await starts(name, what, places[name]);
        restarted.push(name);
      };
      return { run, turn };
    };
    const first = await follow();
    await first.turn('c', program);
    await waitFor('the next one', async () => first.run.stdout().includes('next: restart b '));
    first.run.interrupt();
    expect([await first.run.exitCode, first.run.stderr()]).toEqual([
      130,
      'tidegate: interrupted: run it again to go on\n',
    ]);
    const second = await follow();
    await second.turn('b', program);
    await second.turn('a', program);
    expect(await second.run.exitCode).toBe(0);
    expect(second.run.stdout()).toMatch(
      /3 of 3 processes .*\nfinished; .*\ngoing back is still possible with "tidegate upgrade --back"\n$/,
    );
    const back = await follow('--back');
    for (const name of ['a', 'b', 'c'] as const) await back.turn(name, before);
    expect(await back.run.exitCode).toBe(0);
    expect(restarted).toEqual(['c', 'b', 'a', 'a', 'b', 'c']);
  });

  test('a process that has just come back settles before the next one', async () => {
    await starts('a', before);
    await starts('b', program, 'host-2 system', 8);
    expect((await upgrade()).stdout).toContain(
      'waits until 10 s after the start of b, so that gateways use it again\n',
    );
    const { stdout, exitCode } = await upgrade('--wait', '5');
    expect([exitCode, stdout]).toEqual([4, expect.stringMatching(/start of b, .*\n.*\nnext: restart a /s)]);
    await starts('a', program, 'host-1 system', 0);
    expect((await upgrade()).stdout).toContain('finished;');
  });

  test('names all faults at once, and changes nothing', async () => {
    await db.execute("DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_registered_processes'");
    await db.execute(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, expands) VALUES ('x', 'y', 'relay/30000101000000_x', NOW(), 1)`,
    );
    await db.execute(
      `UPDATE _prisma_migrations SET finished_at = NULL, logs = 'no' WHERE migration_name = 'platform/20270104000000_subject_names'`,
    );
    await starts('far', { version: '0.9.2', newestMigration: '' });
    await starts('newer', { ...program, newestMigration: '30000101000000_x' });
    const { exitCode, stderr, stdout } = await upgrade();
    expect([exitCode, stdout]).toEqual([1, '']);
    for (const fault of [
      'the database has the migration relay/30000101000000_x, which this version does not know',
      'the migration platform/20270104000000_subject_names failed half-way before',
      `version ${program.version} can't run beside far (system on host-1, version 0.9.2)`,
      `newer (system on host-1, version ${program.version}) is newer than this program`,
    ])
      expect(stderr).toContain(`tidegate: ${fault}`);
    expect(
      await db.query("SELECT id FROM _prisma_migrations WHERE migration_name LIKE '%_registered_processes'"),
    ).toEqual([]);
  });

  test('upgrades to its own version only', async () => {
    const { version } = program;
    for (const [flags, says] of [
      [['--to', 'next'], "--to must be a version such as 0.3.0, not 'next'"],
      [
        ['--to', '0.3.9'],
        `this program is version ${version}: unpack 0.3.9 beside it, and run its "bin/tidegate upgrade --to 0.3.9"`,
      ],
      [
        ['--to', '9.1.0'],
        `9.1.0 does not follow ${version}: upgrade release by release, each time with the program of the new version`,
      ],
      [['--to', '9.1.0', '--back'], `version ${version} goes back to ${before.version}, not to 9.1.0: leave out --to`],
    ] as const)
      expect((await upgrade(...flags)).stderr).toContain(`tidegate: ${says}\n`);
    expect(await upgrade('--to', version)).toMatchObject({ exitCode: 0 });
    expect(await upgrade('--to', before.version, '--back')).toMatchObject({ exitCode: 0 });
  });

  test('says how old the last backup is', async () => {
    const rule = (at: string) =>
      db.execute(
        `REPLACE INTO alert_rule (id, scope, name, condition_name, severity, lasts_ms, resolve_after_ms, checked_in_at)
          VALUES ('r', '', 'backup', 'CHECK_IN_LATE', 'WARNING', 0, 0, ${at})`,
      );
    await rule('NULL');
    expect((await upgrade()).stdout).toMatch(
      /^no backup has checked in at the alert rule backup yet: make one first\n/,
    );
    await rule('NOW(3) - INTERVAL 190 MINUTE');
    expect((await upgrade()).stdout).toMatch(/^the last backup checked in 3 h ago\n/);
  });
});

describe('a migration that removes something', () => {
  let installation: Installation;
  const file = async (name: string, sql: string) => {
    await mkdir(join(folder.path, 'a', name), { recursive: true });
    await writeFile(join(folder.path, 'a', name, 'migration.sql'), sql);
  };
  const run = async (given: { readonly back?: true; readonly finish?: true }) => {
    const upgradeRun = new UpgradeRun({ ...installation, program, back: false, finish: false, ...given });
    await upgradeRun.begin();
    return upgradeRun.look();
  };

  beforeEach(async () => {
    await open({ migrated: false });
    await rm(join(folder.path, 'a'), { recursive: true, force: true });
    await file('20261201000000_a', 'CREATE TABLE a (id INT, old INT)');
    const owners = [platformMigrations, { owner: 'a', folder: join(folder.path, 'a') }];
    await migrate(place.connection, owners);
    await file('30000101000000_b', 'ALTER TABLE a DROP COLUMN old');
    installation = { config: readConfig({ file: config }, subgraphRows), owners, others: [] };
  });

  const removing = ['a/30000101000000_b'];

  test('is left to --finish, which waits for processes of other versions; then there is no way back', async () => {
    await starts('c', before);
    expect(await run({ finish: true })).toMatchObject({ state: 'RESTART', removing, canGoBack: true });
    await starts('c', program);
    expect(await run({})).toMatchObject({ state: 'FINISHED', applied: [], removing, canGoBack: true });
    expect(await run({ back: true })).toMatchObject({ state: 'RESTART', version: before.version });
    await db.execute(
      "INSERT INTO lease (name, token, owner, expires_at) VALUES ('process/process/starts', UUID(), 'starts', NOW(3) + INTERVAL 1 HOUR)",
    );
    expect(await run({ finish: true })).toMatchObject({ state: 'WAIT', starting: 1, removing });
    await db.execute('DELETE FROM lease');
    await starts('c', { ...program, newestMigration: '30000101000000_b' });
    program = { ...program, newestMigration: '30000101000000_b' };
    expect(await run({ finish: true })).toMatchObject({
      state: 'FINISHED',
      applied: removing,
      removing: [],
      canGoBack: false,
    });
    await expect(run({ back: true })).rejects.toThrow(
      `there is no way back to version ${before.version}: a/30000101000000_b removed what it uses`,
    );
  });

  test('a read-only database is refused', async () => {
    const look = await lookAt(installation);
    expect(faultsOf(look, program)).toEqual([]);
    expect(faultsOf({ ...look, isReadOnly: true }, program)).toEqual([
      'the database is read-only: end its read_only mode, or name the primary in database.host',
    ]);
  });

  test('of a cluster, the host with the primary is last, after a switchover', async () => {
    for (const host of ['host-1', 'host-2']) await starts(host, before, `${host} gateway,system`);
    const seen = new Set<string>();
    const stepsAt = async (primaryHost: string) => {
      const look = { ...(await lookAt(installation)), primaryHost };
      const { left, needsSwitchover } = stepsOf(look, { program, back: false, seen });
      return [...left.map(({ name }) => name), needsSwitchover];
    };
    expect(await stepsAt('host-1')).toEqual(['host-2', 'host-1', false]);
    await starts('host-2', program, 'host-2 gateway,system');
    expect(await stepsAt('host-1')).toEqual(['host-1', true]);
    expect(await stepsAt('host-2')).toEqual(['host-1', false]);
  });
});
