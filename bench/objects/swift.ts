// OpenStack Swift on this machine, with three replicas on three devices: Debian's packages with their pipelines, without background
// processes. Its files in /etc/swift are replaced only for these processes, in a mount namespace, which needs root.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';

const run = promisify(execFile);
const devices = ['d1', 'd2', 'd3'];
const host = '127.0.0.1';
const etc = '/etc/swift';
const swiftPackages = 'swift-proxy swift-account swift-container swift-object memcached';

interface Swift {
  /** URL of the account. */
  readonly url: string;
  readonly token: string;
  readonly pids: readonly number[];
}

/** The reason why it can't be started here. Undefined if it can. */
export async function whyNoSwift(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can give it separate files in /etc/swift';
  for (const path of ['/usr/bin/swift-proxy-server', '/usr/bin/swift-object-server', '/usr/bin/memcached'])
    if (
      !(await access(path).then(
        () => true,
        () => false,
      ))
    )
      return `${path} is missing: apt-get install --no-install-recommends ${swiftPackages}`;
  return undefined;
}

export async function startSwift(stack: AsyncDisposableStack, folder: string): Promise<Swift> {
  for (const each of ['conf', ...devices.map((device) => `devices/${device}`), 'lock'])
    await mkdir(join(folder, each), { recursive: true });
  const conf = join(folder, 'conf');
  const ports = {
    proxy: await freePort(),
    account: await freePort(),
    container: await freePort(),
    object: await freePort(),
  };
  const memcachePort = await freePort();
  await writeFile(
    join(conf, 'swift.conf'),
    '[swift-hash]\nswift_hash_path_suffix = bench\nswift_hash_path_prefix = bench\n',
  );
  const kinds = ['account', 'container', 'object'] as const;
  await Promise.all(kinds.map((kind) => ring(conf, kind, ports[kind])));
  for (const kind of kinds) {
    await writeFile(
      join(conf, `${kind}-server.conf`),
      `[DEFAULT]\nbind_ip = ${host}\nbind_port = ${ports[kind]}\nworkers = 0\nuser = root\nmount_check = false\n` +
        `devices = ${join(folder, 'devices')}\nlog_level = ERROR\n[pipeline:main]\npipeline = healthcheck recon ${kind}-server\n` +
        `[app:${kind}-server]\nuse = egg:swift#${kind}\n[filter:healthcheck]\nuse = egg:swift#healthcheck\n` +
        `[filter:recon]\nuse = egg:swift#recon\nrecon_lock_path = ${join(folder, 'lock')}\nrecon_cache_path = ${join(folder, 'lock')}\n`,
    );
  }
  await writeFile(join(conf, 'proxy-server.conf'), await proxyConf(ports.proxy, memcachePort));
  const memcached = started(stack, ['memcached', '-u', 'root', '-l', host, '-p', String(memcachePort)]);
  const serve = async (kind: keyof typeof ports) => {
    const script = `mount --bind "$1" ${etc} && exec swift-${kind}-server ${etc}/${kind}-server.conf`;
    const child = started(stack, ['unshare', '--mount', 'sh', '-c', script, 'sh', conf]);
    await waitFor(`Swift's ${kind} server`, async () => {
      const answer = await fetch(`http://${host}:${ports[kind]}/healthcheck`).catch(() => undefined);
      return answer?.ok === true;
    });
    return child;
  };
  // The proxy ignores servers that did not answer within the last minute.
  const children = [memcached, ...(await Promise.all(kinds.map(serve))), await serve('proxy')];
  const url = `http://${host}:${ports.proxy}`;
  const told = await waitFor('Swift to give a token', async () => {
    const headers = { 'x-auth-user': 'bench:bench', 'x-auth-key': 'bench' };
    const answer = await fetch(`${url}/auth/v1.0`, { headers }).catch(() => undefined);
    return answer?.ok === true ? answer : undefined;
  });
  return {
    url: told.headers.get('x-storage-url') ?? '',
    token: told.headers.get('x-auth-token') ?? '',
    pids: children.map(({ pid }) => pid ?? 0),
  };
}

async function ring(conf: string, kind: string, port: number): Promise<void> {
  const builder = join(conf, `${kind}.builder`);
  await run('swift-ring-builder', [builder, 'create', '8', '3', '1']);
  const added = devices.flatMap((device, at) => [`r1z${at + 1}-${host}:${port}/${device}`, '100']);
  await run('swift-ring-builder', [builder, 'add', ...added]);
  await run('swift-ring-builder', [builder, 'rebalance']);
}

/** Debian's configuration with its pipeline, for a user of tempauth. */
async function proxyConf(port: number, memcachePort: number): Promise<string> {
  const shipped = await readFile(join(etc, 'proxy-server.conf'), 'utf8');
  const pipeline = /^pipeline = .*$/m.exec(shipped)?.[0].replace(' container_sync', '') ?? '';
  const filters = (/= (.*)/.exec(pipeline)?.[1] ?? '').split(' ').filter((name) => name !== 'proxy-server');
  const eggs: Readonly<Record<string, string>> = { 'proxy-logging': 'proxy_logging', cache: 'memcache' };
  const more: Readonly<Record<string, string>> = {
    tempauth: 'user_bench_bench = bench .admin\n',
    cache: `memcache_servers = ${host}:${memcachePort}\n`,
    'container-quotas': '',
  };
  const sections = [...new Set(filters)].map((name) => {
    const egg = eggs[name] ?? name.replaceAll('-', '_');
    return `[filter:${name}]\nuse = egg:swift#${egg}\n${more[name] ?? ''}`;
  });
  return (
    `[DEFAULT]\nbind_ip = ${host}\nbind_port = ${port}\nworkers = 0\nuser = root\nlog_level = ERROR\n[pipeline:main]\n${pipeline}\n` +
    `[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n${sections.join('')}`
  );
}

function started(stack: AsyncDisposableStack, [program = '', ...words]: readonly string[]): ChildProcess {
  const child = spawn(...endingWithParent(program, words), { stdio: 'ignore' });
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  return child;
}
