// `npm start -- --ha` as a person uses it: it is found by its data folder, switches over under load, starts again after a kill, and ends.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { mountsOf } from '../../lab/ha/places.ts';
import type { HostName } from '../../lab/ha/plan.ts';
import { namespaces } from '../../lab/switched-network.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import {
  countOperations,
  dataOf,
  describeDemo,
  endDemo,
  folder,
  namespaceOf,
  nothingFailed,
  program,
  restartDemo,
  servePid,
  slowMs,
  sql,
  startLoad,
  tidegate,
  url,
  waitSeconds,
  whole,
} from './support/ha-demo.ts';
import { ask, tokenOf } from './support/up-process.ts';

interface LoadSummary {
  readonly before: { readonly calls: number; readonly firstWriteMs: number };
  readonly phases: {
    readonly before: number;
    readonly during: number;
    readonly after: number;
    readonly exitCode: number;
  };
  readonly stretches: readonly { readonly count: number; readonly thenGapMs: number }[];
  readonly acknowledged: number;
}

/** An owner of tables to which nothing else refers. */
const undone = { owner: 'object-storage', tables: 'object\\_%' };

describeDemo('two data hosts and a witness on one machine', () => {
  test(
    'the cluster is found by the data folder of the start, and serves at its address',
    async () => {
      const seen = await whole();
      expect(seen.hosts.map(({ name, keys }) => [name, keys])).toEqual([
        ['a', 'SAME'],
        ['b', 'SAME'],
        ['w', null],
      ]);
      const { backends } = await ask<{ backends: { nodes: { name: string }[] } }>(
        await url(),
        await tokenOf(folder()),
        '{ backends { nodes { name } } }',
      );
      expect(backends.nodes).toEqual([{ name: 'lab-firewall' }]);
      // Root does not serve; the account of a start without --ha does.
      const served = await Promise.all((['a', 'b'] as const).map(serveOwner));
      expect(served).toEqual([60_873, 60_873]);
    },
    slowMs,
  );

  test(
    'no request under load fails because of a switchover',
    async () => {
      const { primary, epoch } = await whole();
      const load = startLoad(20);
      await waitFor('the first writes', async () => (await countOperations()) > 3);
      expect(await tidegate(['ha', 'switchover', '--wait', waitSeconds])).toMatchObject({ exitCode: 0, stderr: '' });
      const summary = await load.summary();
      expect(summary).toMatchObject(nothingFailed);
      expect(summary.acknowledged).toBeGreaterThan(10);
      expect(summary.reads).toBeGreaterThan(10);
      const after = await whole();
      expect(after.primary).not.toBe(primary);
      expect(after.epoch).toBeGreaterThan(epoch);
    },
    slowMs,
  );

  test(
    'a load beside a switchover counts from its first write, and prints what was acknowledged before, during and after it',
    async () => {
      const before = await countOperations();
      const switchover = ['sh', program, 'ha', 'switchover', '--wait', waitSeconds, '--data', dataOf()];
      const { exitCode, stdout, stderr } = await tidegate(['lab', 'load', '--clients', '2', '--json'], switchover);
      expect([exitCode, stderr]).toEqual([
        0,
        expect.stringMatching(/^[ab] is the primary\.( Its next write has one copy until [^\n]+)?\n$/),
      ]);
      const summary = JSON.parse(stdout) as LoadSummary;
      expect(summary).toMatchObject(nothingFailed);
      // Writes by other loads do not count.
      expect(summary.before.calls).toBe(before);
      expect(summary.before.firstWriteMs).toBeGreaterThan(0);
      const { phases } = summary;
      expect([phases.before > 0, phases.after > 0, phases.exitCode]).toEqual([true, true, 0]);
      expect(phases.before + phases.during + phases.after).toBeLessThanOrEqual(summary.acknowledged);
      expect(summary.stretches.reduce((sum, { count }) => sum + count, 0)).toBe(summary.acknowledged);
    },
    slowMs,
  );

  test(
    'a load beside a failing command ends with 1, and one that also has --seconds is refused',
    async () => {
      const failed = await tidegate(['lab', 'load', '--json'], ['false']);
      expect([failed.exitCode, failed.stderr]).toEqual([1, 'tidegate: false ended with 1\n']);
      const both = await tidegate(['lab', 'load', '--seconds', '5'], ['true']);
      expect([both.exitCode, both.stderr]).toEqual([
        64,
        expect.stringContaining('only one of --seconds and a command'),
      ]);
    },
    slowMs,
  );

  test.each([
    [['lab', 'unplug', 'c'], 1, 'there is no host c: the hosts are a, b, w'],
    [['lab', 'cut', 'a', 'a'], 1, 'a host is cut from another one'],
    [['lab', 'skew', 'a', 'soon'], 64, 'SECONDS is a whole number'],
    [['lab', 'add', 'fortigate', '--no-install'], 1, 'no part fortigate'],
    [['up', '--ha', '--no-install'], 1, 'in use by process'],
    [['up', '--ha', '--port', '4000'], 64, '--ha does not take --port'],
    [['ha', 'leave'], 64, 'select the host: --host a, --host b, --host w'],
  ])(
    '%j is refused',
    async (words, exitCode, text) => {
      const answer = await tidegate(words);
      expect({ ...answer, stdout: '' }).toEqual({ exitCode, stdout: '', stderr: expect.stringContaining(text) });
    },
    slowMs,
  );

  test(
    'after kill -9, the next start continues with the same hosts and data, also with data of an older version',
    async () => {
      const before = await whole();
      const operations = await countOperations();
      await lackMigration(before.primary as HostName);
      // The worst leftover: a host that stands still, on a disk that stands still too.
      expect(await tidegate(['lab', 'freeze-disk', 'w'])).toMatchObject({ exitCode: 0 });
      expect(await tidegate(['lab', 'freeze', 'b'])).toMatchObject({ exitCode: 0 });
      await restartDemo();
      const after = await whole();
      expect(after.epoch).toBeGreaterThanOrEqual(before.epoch);
      expect(after.hosts.map(({ address }) => address)).toEqual(before.hosts.map(({ address }) => address));
      expect(await countOperations()).toBeGreaterThanOrEqual(operations);
      const done = await sql(
        after.primary as HostName,
        `SELECT migration_name FROM tidegate._prisma_migrations
        WHERE migration_name LIKE '${undone.owner}/%'`,
      );
      const migrations = await readdir(join(import.meta.dirname, '..', '..', 'prisma', 'migrations', undone.owner));
      expect(done).toHaveLength(migrations.length);
      const load = startLoad(5);
      expect(await load.summary()).toMatchObject(nothingFailed);
    },
    slowMs,
  );

  test(
    'SIGTERM ends all processes',
    async () => {
      const spaces = await Promise.all((['a', 'b', 'w'] as const).map(namespaceOf));
      expect(await endDemo('SIGTERM')).toEqual({ code: 0, output: expect.stringContaining('Stopped.') });
      const left = await namespaces();
      expect(spaces.filter((each) => left.includes(each))).toEqual([]);
      expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(mountsOf(folder()));
      expect(await tidegate(['ha', 'status'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('NOT_CONFIGURED'),
      });
      expect(await tidegate(['lab', 'load', '--seconds', '1'])).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('no hosts run'),
      });
    },
    slowMs,
  );
});

test('without root it is refused', async () => {
  const words = ['up', '--ha', '--no-install', '--data', '/tmp/nothing'];
  const asOther = process.getuid?.() === 0 ? ['setpriv', '--reuid', '60873', '--regid', '60873', '--clear-groups'] : [];
  const [command = '', ...args] = [...asOther, 'sh', program, ...words];
  const { exitCode, stderr } = await runProgram(command, args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('--ha needs root') });
});

/** Makes the data look like that of an older version. */
async function lackMigration(primary: HostName): Promise<void> {
  const [tables] = (await sql(
    primary,
    `SELECT GROUP_CONCAT('tidegate.', table_name) AS names FROM information_schema.tables
    WHERE table_schema = 'tidegate' AND table_name LIKE '${undone.tables}'`,
  )) as { readonly names: string }[];
  await sql(primary, `DROP TABLE ${tables?.names}`);
  await sql(primary, `DELETE FROM tidegate._prisma_migrations WHERE migration_name LIKE '${undone.owner}/%'`);
}

/** The user of `tidegate serve` on a host. */
async function serveOwner(name: HostName): Promise<number> {
  const text = await readFile(`/proc/${await servePid(name)}/status`, 'utf8');
  return Number(/^Uid:\s+(\d+)/m.exec(text)?.[1]);
}
