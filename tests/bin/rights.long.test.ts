// The users of the processes of `npm start` and `serve` when root starts them. The listening process has no privileges of root, the
// privileged one does not listen and outlives it, and nothing remains after any kind of end.
// needs: openssh-client, root
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { madeTablesVariable } from '../../embedded/mariadb.ts';
import { inNamespace } from '../../lab/exec.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { listenerOn, listeningAddresses, type ProcessView, processTree } from './support/processes.ts';
import { ask, startProgram, startUp, tokenOf, type UpProcess } from './support/up-process.ts';

const isRoot = process.getuid?.() === 0;
const describeAsRoot = isRoot ? describe : describe.skip;
const withLab = labUnavailable() === undefined;
const describeWithLab = withLab ? describe : describe.skip;
const root = join(import.meta.dirname, '..', '..');

/** capabilities(7): CAP_NET_BIND_SERVICE, for ports below 1024. */
const lowPorts = 1n << 10n;

let folder: TemporaryFolder;
/** A system that is shared by the tests that only read from it. */
let shared: UpProcess;
let sharedData: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  sharedData = join(folder.path, 'shared');
  // The account makes its system tables itself.
  if (isRoot) shared = await startUp(sharedData, withLab ? [] : ['--no-lab'], { [madeTablesVariable]: undefined });
}, 90_000);

afterAll(async () => {
  await stop(shared);
  await folder.remove();
});

async function listenerOf(up: UpProcess): Promise<{ listener: ProcessView; tree: ProcessView[] }> {
  const tree = await processTree(up.child.pid ?? -1);
  const listener = await listenerOn(Number(new URL(up.url).port), tree);
  if (listener === undefined) throw new Error('nothing listens');
  return { listener, tree };
}

function expectNoRights(view: ProcessView): void {
  expect(new Set([...view.uids, ...view.gids])).not.toContain(0);
  expect(view.groups).toEqual([]);
  expect(view.capabilities.effective & ~lowPorts).toBe(0n);
  expect(view.capabilities.permitted & ~lowPorts).toBe(0n);
  expect(view.capabilities.bounding & ~lowPorts).toBe(0n);
}

async function stop(up: UpProcess | undefined): Promise<void> {
  up?.child.kill('SIGTERM');
  await up?.ended;
}

function projects(up: UpProcess, token: string): Promise<{ me: { projects: { project: { name: string } }[] } }> {
  return ask(up.url, token, '{ me { projects { project { name } } } }');
}

async function allEnd(tree: readonly ProcessView[]): Promise<void> {
  for (const { pid, name } of tree) await waitFor(`${name} (${pid}) to end`, () => !isRunning(pid));
}

describeAsRoot('npm start as root', () => {
  test('neither the process that listens nor MariaDB nor Redis has privileges of root', async () => {
    const { listener, tree } = await listenerOf(shared);
    expectNoRights(listener);
    const servers = tree.filter(({ name }) => /^(mariadbd|redis)/.test(name));
    expect(servers).toHaveLength(2);
    for (const server of servers) expectNoRights(server);
  });

  // Parts that need no program besides those of a load balancer host.
  test('the process that stays root listens for the parts of the lab as docs/security.md says, and for nothing else', async () => {
    const parts = withLab ? ['balancers'] : [];
    const text = await readFile(join(root, 'docs', 'security.md'), 'utf8');
    const documented = new Map(
      [...text.matchAll(/^\| `([a-z]+)` \| (\d+) \| .* \|$/gm)].map(([, part = '', ports]) => [part, Number(ports)]),
    );
    expect([...documented.keys()].sort()).toEqual(['apache', 'balancers', 'clusters', 'openvswitch', 'sites']);
    for (const chosen of [[], parts]) {
      const lab = chosen.length === 0 ? ['--no-lab'] : ['--lab', chosen.join(',')];
      const up = await startUp(join(folder.path, `listens-${chosen.length}`), lab);
      try {
        const addresses = await listeningAddresses(up.child.pid ?? -1);
        expect(addresses).toHaveLength(chosen.reduce((sum, part) => sum + (documented.get(part) ?? 0), 0));
        // In the lab's own network, all at one address.
        expect(new Set(addresses).size).toBe(chosen.length);
        for (const address of addresses) expect(address).toMatch(/^198\.19\./);
      } finally {
        await stop(up);
      }
    }
  }, 240_000);

  test('the listening process can neither read the lab, nor replace its parts, nor read this machine', async () => {
    const { listener } = await listenerOf(shared);
    const [uid, gid] = [String(listener.uids[0]), String(listener.gids[0])];
    const succeeds = (...command: string[]): boolean => {
      try {
        execFileSync('setpriv', ['--reuid', uid, '--regid', gid, '--clear-groups', ...command], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    };
    expect(succeeds('cat', join(sharedData, 'admin.token'))).toBe(true);
    if (withLab) {
      expect(succeeds('cat', join(sharedData, 'lab', 'firewall', 'keys', 'netops'))).toBe(false);
      expect(succeeds('mv', join(sharedData, 'lab'), join(sharedData, 'lab.moved'))).toBe(false);
      expect(succeeds('rm', '-r', join(sharedData, 'lab'))).toBe(false);
    }
    expect(succeeds('cat', '/etc/shadow')).toBe(false);
    expect(succeeds('cat', `/proc/${shared.child.pid}/environ`)).toBe(false);
  });

  test('an older data folder, owned by root, is taken over with its accounts and keys', async () => {
    const data = join(folder.path, 'before');
    const first = await startUp(data, ['--no-lab', '--as-root']);
    const token = await tokenOf(data);
    expect((await listenerOf(first)).listener.uids).toEqual([0, 0, 0, 0]);
    await stop(first);
    expect((await stat(join(data, 'keys', 'sealing.keys'))).uid).toBe(0);

    const next = await startUp(data, ['--no-lab']);
    try {
      expectNoRights((await listenerOf(next)).listener);
      expect((await projects(next, token)).me.projects[0]?.project.name).toBe('default');
    } finally {
      await stop(next);
    }
    const last = await startUp(data, ['--no-lab', '--as-root']);
    await stop(last);
  }, 120_000);

  test('a folder for the lab that root does not own is not used', async () => {
    const data = join(folder.path, 'planted');
    await mkdir(data);
    await writeFile(join(data, 'version'), '');
    await symlink('/etc', join(data, 'lab'));
    const refused = startProgram(['up', '--port', '0', '--data', data]);
    expect((await refused.ended).code).toBe(1);
    expect(refused.output()).toContain(join(data, 'lab'));
    expect((await stat('/etc')).uid).toBe(0);
  }, 60_000);

  test('a checkout and a data folder inside a folder for root only work as well', async () => {
    const closed = join(folder.path, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const data = join(closed, 'below', 'data');
    const up = await startUp(data, ['--no-lab']);
    try {
      expectNoRights((await listenerOf(up)).listener);
      expect((await projects(up, await tokenOf(data))).me.projects[0]?.project.name).toBe('default');
    } finally {
      await stop(up);
    }
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
  }, 90_000);

  test('code that others may not read is refused, with instructions', async () => {
    const checkout = join(folder.path, 'unreadable');
    await mkdir(checkout);
    for (const name of ['bin', 'cli', 'compose', 'embedded', 'lab', 'platform'])
      await cp(join(root, name), join(checkout, name), { recursive: true });
    await cp(join(root, 'package.json'), join(checkout, 'package.json'));
    const linked = ['node_modules', 'generated', 'subgraphs', 'gateway', 'workers', 'schema', 'dns', 'ha', 'prisma'];
    for (const name of linked) await symlink(join(root, name), join(checkout, name));
    await chmod(join(checkout, 'platform'), 0o700);
    const refused = startProgram(
      ['up', '--port', '0', '--no-lab', '--data', join(folder.path, 'unread')],
      {},
      checkout,
    );
    expect((await refused.ended).code).toBe(1);
    expect(refused.output()).toContain('chmod');
    expect(refused.output()).toContain('--as-root');
    await expect(stat(join(folder.path, 'unread'))).rejects.toThrow();

    // `serve` switches to its user itself, and loads most of its code after that.
    await chmod(join(checkout, 'bin'), 0o700);
    const serve = startProgram(
      ['serve', '--roles', 'objectresolver', '--set', 'serve.user=60873', '--set', 'database.host=127.0.0.1'],
      {},
      checkout,
    );
    expect((await serve.ended).code).toBe(1);
    expect(serve.output()).toContain(`serve runs as user 60873, who can't read ${checkout}`);
  }, 60_000);

  test('a key file that root replaces stays readable for the listening process', async () => {
    const data = join(folder.path, 'rotated');
    await stop(await startUp(data, ['--no-lab']));
    const file = join(data, 'keys', 'gateway.keys');
    const before = await stat(file);
    expect(before.uid).not.toBe(0);
    const made = startProgram(['keys', 'create', join(data, 'keys')]);
    expect((await made.ended).code).toBe(0);
    await rename(file, `${file}.kept`);
    expect((await startProgram(['keys', 'create', join(data, 'keys')]).ended).code).toBe(0);
    expect((await stat(join(data, 'keys', 'public.keys'))).uid).toBe(before.uid);
    expect((await stat(file)).uid).toBe(before.uid);
  }, 90_000);
});

describeWithLab("the lab's login", () => {
  test('can not read this machine or the data folder, and sees no process of this machine', async () => {
    // It is read by shells that run as root.
    expect((await stat(join(sharedData, 'lab.env'))).uid).toBe(0);
    const { backends } = await ask<{ backends: { nodes: { host: string }[] } }>(
      shared.url,
      await tokenOf(sharedData),
      '{ backends(first: 10) { nodes { host } } }',
    );
    const host = backends.nodes[0]?.host ?? '';
    const flags = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes'];
    const login = [
      ...flags.flatMap((flag) => ['-o', flag]),
      '-i',
      join(sharedData, 'lab', 'firewall', 'keys', 'netops'),
      `netops@${host}`,
    ];
    const execute = (command: string) => spawnSync('ssh', [...login, command], { encoding: 'utf8' });
    expect(execute('nft list tables').stdout).toBe('table inet filter\n');
    const files = ['keys/sealing.keys', 'keys/system.keys', 'admin.password', 'lab/keys/netops'];
    for (const path of [
      '/etc/shadow',
      ...files.map((each) => join(sharedData, each)),
      `/proc/${shared.child.pid}/environ`,
    ]) {
      const read = execute(`cat ${path}`);
      expect([read.status, read.stdout]).toEqual([1, '']);
      expect(read.stderr).toContain('No such file');
    }
  });
});

describeWithLab('npm start as root, killed', () => {
  const namespacesOf = async (data: string): Promise<string> =>
    (await readFile(join(data, 'lab.env'), 'utf8')).match(/FIREWALL=(\S+)/)?.[1] ?? '';
  const isThere = async (namespace: string): Promise<boolean> =>
    (await inNamespace(namespace, 'true', [])).exitCode === 0;

  test('the process that root started: nothing remains, and the next start takes over its data', async () => {
    const data = join(folder.path, 'killed-root');
    const first = await startUp(data);
    const token = await tokenOf(data);
    const tree = await processTree(first.child.pid ?? -1);
    expect(tree.some(({ name: each }) => each === 'sshd')).toBe(true);
    first.child.kill('SIGKILL');
    await first.ended;
    await allEnd(tree);

    const next = await startUp(data);
    expect((await projects(next, token)).me.projects[0]?.project.name).toBe('default');
    const namespace = await namespacesOf(data);
    expect(await isThere(namespace)).toBe(true);
    const nextTree = await processTree(next.child.pid ?? -1);
    await stop(next);
    await allEnd(nextTree);
    expect(await isThere(namespace)).toBe(false);
  }, 120_000);

  test('the listening process is restarted with its lab, by the same program, each time it is killed', async () => {
    const data = join(folder.path, 'killed-listener');
    const up = await startUp(data);
    const token = await tokenOf(data);
    let now = up;
    for (const kill of [0, 1]) {
      const { listener, tree } = await listenerOf(now);
      const served = tree.filter(({ pid }) => pid !== up.child.pid);
      process.kill(listener.pid, 'SIGKILL');
      await allEnd(served);
      await waitFor('another start', () => up.output().split('Ctrl-C stops everything.').length > kill + 2);
      now = { ...up, url: [...up.output().matchAll(/GraphQL\s+(http:\S+)\/graphql/g)].at(-1)?.[1] ?? '' };
      expect((await projects(now, token)).me.projects[0]?.project.name).toBe('default');
      expect(await isThere(await namespacesOf(data))).toBe(true);
    }
    expect(up.output()).toContain('was ended by SIGKILL: it is started again');
    const namespace = await namespacesOf(data);
    const tree = await processTree(up.child.pid ?? -1);
    await stop(up);
    expect((await up.ended).code).toBe(0);
    await allEnd(tree);
    expect(await isThere(namespace)).toBe(false);
  }, 240_000);
});

describeAsRoot('serve as root', () => {
  test('is refused with instructions; --as-root confirms it', async () => {
    const settings = join(folder.path, 'gateway.json');
    await writeFile(settings, JSON.stringify({ roles: ['gateway'], 'listen.port': 0 }));
    const refused = startProgram(['serve', '--config', settings]);
    expect((await refused.ended).code).toBe(1);
    expect(refused.output()).toContain('--as-root');
    expect(refused.output()).toContain('User=');
    const printed = startProgram(['serve', '--config', settings, '--print-config']);
    expect((await printed.ended).code).toBe(0);
    // Gets as far as the faults in its settings.
    const meant = startProgram(['serve', '--config', settings, '--as-root']);
    expect((await meant.ended).code).toBe(1);
    expect(meant.output()).not.toContain('--as-root');
    expect(meant.output()).toContain('keys.folder: these roles need key files');
  }, 60_000);
});
