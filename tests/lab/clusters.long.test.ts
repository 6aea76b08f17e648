// The device `clusters`, with the job of the README. An object is written at one cluster, and read, changed and deleted at another while the
// first is unplugged. Afterwards the first has all changes. A fourth cluster is ready to join. Nothing remains, even after kill -9.
// needs: system, awscli, rclone, procps, nftables, iproute2, openssl, root
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { namespaces } from '../../lab/switched-network.ts';
import { isRoot, LabSystem } from '../bin/support/lab-system.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type Credentials, S3TestClient } from '../support/object-storage/s3-client.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate.ts');
const describeAsRoot = isRoot && existsSync('/usr/sbin/nft') ? describe : describe.skip;
const testWith = (path: string) => (existsSync(path) ? test : test.skip);

describeAsRoot('as root', () => {
  let system: LabSystem;
  /** The prefix of the namespaces of its clusters. */
  let prefix = 'none';
  let at: Readonly<Record<string, string>> = {};
  let credentials: Credentials = { accessKeyId: '', secret: '' };

  beforeAll(async () => {
    system = await LabSystem.start(['--lab', 'firewall']);
  }, 120_000 * patience);
  afterAll(async () => {
    await system.stop();
    await endProcessesOf(system.data);
    for (const name of await own()) await run('ip', ['netns', 'delete', name]);
  });

  /** Other users have labs on this machine too. */
  async function own(): Promise<readonly string[]> {
    return (await namespaces()).filter((space) => space.startsWith(prefix));
  }

  async function told(...words: readonly string[]): Promise<string> {
    const admin = ['--user', 'admin', '--password-file', join(system.data, 'admin.password')];
    const place = ['--url', `${system.up.url}/graphql`, '--data', system.data, ...admin];
    return (await run(process.execPath, [program, ...words, ...place], { timeout: 60_000 * patience })).stdout;
  }

  async function readAddresses(): Promise<void> {
    const text = await readFile(join(system.data, 'clusters.env'), 'utf8');
    at = Object.fromEntries(
      text
        .trim()
        .split('\n')
        .map((line) => line.split('=')),
    );
  }

  const clientOf = (name: string) => new S3TestClient({ url: at[name.toUpperCase()] ?? '', credentials });

  /** Retries until there is a majority. A 503 only means that there is none yet. */
  async function done(name: string, method: string, path: string, body?: string | Buffer): Promise<string> {
    let text = '';
    await waitFor(`${method} ${path} at ${name}`, async () => {
      const answer = await clientOf(name)
        .send({ method, path, ...(body === undefined ? {} : { body }) })
        .catch(() => undefined);
      text = answer?.text ?? '';
      return answer !== undefined && answer.status < 300;
    });
    return text;
  }

  const statusOf = async (name: string, path: string) => (await clientOf(name).send({ method: 'HEAD', path })).status;

  /** The names of running programs that were started with a path in the data folder. */
  async function programsOf(): Promise<readonly string[]> {
    const { stdout } = await run('pgrep', ['-lf', system.data]).catch(() => ({ stdout: '' }));
    return stdout.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
  }

  async function caughtUp(name: string): Promise<void> {
    await waitFor(`${name} to lack nothing`, async () => {
      const rows = (await told('clusters', 'lag')).split('\n').filter((line) => line.startsWith(`${name} `));
      return rows.length > 0 && rows.every((line) => / connected +0 +0 ms/.test(line));
    });
  }

  test(
    'three clusters are linked and serve, and a fourth is ready to join',
    async () => {
      expect(await system.lab('add', 'clusters')).toMatchObject([
        { part: 'clusters', state: 'RUNNING', backend: null },
      ]);
      const hosts = JSON.parse(await system.told('hosts', '--json')) as { name: string; namespace: string }[];
      prefix = hosts.find(({ name }) => name === 'north')?.namespace.replace(/north$/, '') ?? '';
      expect(prefix).toMatch(/^tg-/);
      await readAddresses();
      const clusters = JSON.parse(await told('clusters', 'list', '--json')) as { name: string; presence: string }[];
      expect(clusters.map(({ name, presence }) => [name, presence])).toEqual([
        ['north', 'PRESENT'],
        ['south', 'PRESENT'],
        ['east', 'PRESENT'],
      ]);
      expect(await told('options', 'list')).toMatch(/^usual /m);
      const key = Object.fromEntries(
        (await told('access-keys', 'create', 'test', '--project', 'default'))
          .trim()
          .split('\n')
          .map((line) => line.split('=')),
      ) as Record<string, string>;
      credentials = { accessKeyId: key.AWS_ACCESS_KEY_ID ?? '', secret: key.AWS_SECRET_ACCESS_KEY ?? '' };
      await done('north', 'PUT', '/photos');
      await done('north', 'PUT', '/photos/cat', 'miau');
      for (const name of ['south', 'east']) expect(await done(name, 'GET', '/photos/cat')).toBe('miau');
    },
    300_000 * patience,
  );

  testWith('/usr/bin/aws')(
    "Debian's awscli sees at one cluster the objects that it wrote at another",
    async () => {
      const env = {
        ...{ PATH: '/usr/bin:/bin', HOME: system.data, LC_ALL: 'C.UTF-8', AWS_EC2_METADATA_DISABLED: 'true' },
        ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secret },
        AWS_DEFAULT_REGION: 'us-east-1',
      };
      const aws = async (name: string, ...words: readonly string[]) => {
        const args = ['--endpoint-url', at[name.toUpperCase()] ?? '', 's3', ...words];
        const result = await runProgram('/usr/bin/aws', args, { timeoutMs: 60_000 * patience, env });
        expect([words, result.exitCode, result.stderr]).toEqual([words, 0, '']);
        return result.stdout;
      };
      await aws('north', 'cp', join(system.data, 'admin.token'), 's3://photos/token');
      expect(await aws('east', 'ls', 's3://photos')).toMatch(/ token$/m);
      expect(await aws('south', 'cp', 's3://photos/token', '-')).toBe(
        await readFile(join(system.data, 'admin.token'), 'utf8'),
      );
    },
    120_000 * patience,
  );

  test(
    'with north unplugged the others continue, and plugged in again it has all changes, including the deletion',
    async () => {
      const large = randomBytes(100_000).toString('hex');
      await done('north', 'PUT', '/photos/old', large);
      await system.told('unplug', 'north');
      expect(await system.lab('hosts')).toContainEqual(expect.objectContaining({ name: 'north', state: 'UNPLUGGED' }));
      expect(await done('south', 'GET', '/photos/old')).toBe(large);
      await done('south', 'PUT', '/photos/cat', 'wuff');
      await done('south', 'PUT', '/photos/new', large);
      await done('south', 'DELETE', '/photos/old');
      await system.told('plug', 'north');
      await caughtUp('north');
      await system.told('unplug', 'south');
      expect(await done('north', 'GET', '/photos/cat')).toBe('wuff');
      expect(await done('north', 'GET', '/photos/new')).toBe(large);
      expect(await statusOf('north', '/photos/old')).toBe(404);
      await system.told('plug', 'south');
      await caughtUp('south');
    },
    300_000 * patience,
  );

  test(
    'a cluster whose power was cut comes back with its data',
    async () => {
      await system.told('kill', 'east');
      await done('north', 'PUT', '/photos/meanwhile', 'ahoy');
      await system.told('plug', 'east');
      await caughtUp('east');
      expect(await done('east', 'GET', '/photos/meanwhile')).toBe('ahoy');
    },
    300_000 * patience,
  );

  test(
    'an unknown part, or one in use, is refused with the reason',
    async () => {
      expect(await system.refusal('unplug', 'toaster')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('north, south, east, west'),
      });
      expect(await system.refusal('remove', 'clusters')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--orphan-mappings'),
      });
    },
    60_000 * patience,
  );

  test(
    'after kill -9 of everything, a start restores all of it, and after removal nothing remains',
    async () => {
      await system.end('SIGKILL');
      await waitFor('all else to end', async () => (await programsOf()).length === 0);
      await system.restart('SIGKILL');
      await waitFor('the part', async () =>
        (await system.lab('list')).some(({ part, state }) => part === 'clusters' && state === 'RUNNING'),
      );
      await readAddresses();
      for (const name of ['north', 'south', 'east']) expect(await done(name, 'GET', '/photos/cat')).toBe('wuff');
      await system.told('remove', 'clusters', '--orphan-mappings');
      expect(await own()).toEqual([]);
      expect((await programsOf()).filter((name) => name === 'mariadbd')).toHaveLength(1);
      for (const path of ['clusters.env', join('lab', 'clusters')])
        await expect(stat(join(system.data, path))).rejects.toThrow('ENOENT');
    },
    300_000 * patience,
  );
});
