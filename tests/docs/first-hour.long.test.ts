// Follows "The first hour" of docs/operating.md to the letter, on four hosts: two control hosts, a gateway behind nginx with TLS, and a host with
// MariaDB and Redis. They are network namespaces, each with /etc, /opt and /var/lib of its own. Left out are the packages, which this machine has,
// and scp; what systemctl starts is started as the unit says.
// needs: curl, dashboard, iproute2, mariadb-client-core, mariadb-server-core, nftables, nginx-light, openssh-client, openssh-server, openssl, redis-tools, root
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../embedded/run-program.ts';
import { HaNetwork, type PlaceName, places } from '../../trials/ha/network.ts';
import { patience } from '../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const root = join(import.meta.dirname, '../..');
const testAsRoot = process.getuid?.() === 0 ? test : test.skip;
const hosts = { 'control-1': 'a', 'control-2': 'b', 'gateway-1': 'w' } as const;
type HostName = keyof typeof hosts;
const names = Object.keys(hosts) as HostName[];
const mostCommands = 20;

let folder: TemporaryFolder;
let network: HaNetwork;
/** Each keeps the file systems of a host. */
const keepers = new Map<HostName, ChildProcess>();
const started: ChildProcess[] = [];
const path = (...parts: readonly string[]) => join(folder.path, ...parts);

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  folder = await temporaryFolder();
  await chmod(folder.path, 0o755);
  network = await HaNetwork.layOut(`fh${process.pid}`);
  await makeCertificate();
  await startStores();
  for (const name of names) await startHost(name);
}, 120_000 * patience);

afterAll(async () => {
  await network?.remove();
  for (const child of [...started, ...keepers.values()]) child.kill('SIGKILL');
  await folder?.remove();
}, 60_000 * patience);

/** Fails unless it ends with 0. */
async function shell(script: string, before: readonly string[] = []): Promise<string> {
  const [program = 'sh', ...words] = [...before, 'sh', '-euc', script];
  const { exitCode, stdout, stderr } = await runProgram(program, words, { timeoutMs: 240_000 * patience });
  if (exitCode !== 0) throw new Error(`${script}: ${exitCode}\n${stdout}\n${stderr}`);
  return stdout;
}

const inNetwork = (place: PlaceName): readonly string[] => ['ip', 'netns', 'exec', network.namespace(place)];
const inHost = (name: HostName): readonly string[] => ['nsenter', '-t', `${keepers.get(name)?.pid}`, '-m', '-n'];
/** As root, in /opt/tidegate. */
const at = (name: HostName, script: string) => shell(`unset TMPDIR\ncd /opt/tidegate\n${script}`, inHost(name));

/** An authority, and one certificate for nginx and MariaDB. */
async function makeCertificate(): Promise<void> {
  const ext = path('names.ext');
  await writeFile(ext, 'subjectAltName=DNS:tidegate.example.net,DNS:database.example.net\n');
  await shell(`cd ${folder.path}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=front -keyout front.key -out front.csr 2>/dev/null
    openssl x509 -req -in front.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ${ext} -out front.pem 2>/dev/null
    chmod 644 ca.pem front.pem front.key`);
}

/** MariaDB with an administrator at every host, and Redis with a password. */
async function startStores(): Promise<void> {
  const [address, account] = [places.c, { uid: 60_873, gid: 60_873 }];
  const data = path('mariadb');
  await mkdir(data);
  await copyFile('/usr/bin/redis-check-rdb', path('redis-server'));
  await shell(`mariadb-install-db --no-defaults --datadir=${data} --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve >/dev/null
    chmod 755 ${path('redis-server')}; mkdir ${path('redis')}; chown -R ${account.uid}:${account.gid} ${data} ${path('redis')}`);
  const start = (...words: readonly string[]) => {
    const drop = ['setpriv', '--reuid', `${account.uid}`, '--regid', `${account.gid}`, '--clear-groups'];
    const [program = '', ...rest] = [...inNetwork('c'), ...drop, ...words];
    const output = openSync(path('stores.log'), 'a');
    started.push(spawn(program, rest, { stdio: ['ignore', output, output], cwd: path('redis') }));
  };
  const socket = `${data}/sock`;
  start(
    ...['mariadbd', '--no-defaults', `--datadir=${data}`, `--socket=${socket}`, `--bind-address=${address}`],
    ...[`--tmpdir=${data}`, '--skip-name-resolve', '--character-set-server=utf8mb4', '--innodb-buffer-pool-size=64M'],
    ...[`--ssl-cert=${path('front.pem')}`, `--ssl-key=${path('front.key')}`],
  );
  start(path('redis-server'), '--bind', address, '--requirepass', 'of redis', '--maxmemory-policy', 'noeviction');
  const admin = "CREATE USER 'root'@'%' IDENTIFIED BY 'admin'; GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;";
  await waitFor('MariaDB', () =>
    shell(`mariadb --no-defaults --socket=${socket} --user=root --execute "${admin}"`).then(
      () => true,
      () => false,
    ),
  ).catch(async (error: unknown) => {
    throw new Error(await readFile(path('stores.log'), 'utf8'), { cause: error });
  });
}

/** With file systems of its own: what the page writes to /etc, /opt and /var/lib is written to the host alone. */
async function startHost(name: HostName): Promise<void> {
  const own = path(name);
  const addresses = [
    ...names.map((each) => `${places[hosts[each]]} ${each}.example.net ${each}`),
    `${places.c} database.example.net redis.example.net`,
    `${places[hosts['gateway-1']]} tidegate.example.net`,
  ];
  await shell(`mkdir -p ${own}/etc ${own}/opt/tidegate ${own}/lib/nginx ${own}/root ${own}/log/nginx
    cp -a /etc/. ${own}/etc/; rm -rf ${own}/etc/tidegate ${own}/etc/nginx/sites-enabled/*; mkdir -p ${own}/etc/systemd/system
    cat ${path('ca.pem')} >> ${own}/etc/ssl/certs/ca-certificates.crt`);
  await writeFile(join(own, 'etc/hosts'), `127.0.0.1 localhost\n${addresses.join('\n')}\n`);
  const mounts = [
    ...[`mount --bind ${own}/etc /etc`, `mount --bind ${root} ${own}/opt/tidegate`, `mount --rbind ${own}/opt /opt`],
    ...[`mount --bind ${own}/lib /var/lib`, `mount --bind ${own}/root /root`, `mount --bind ${own}/log /var/log`],
    'mount -t tmpfs tmpfs /run',
  ];
  const [program = '', ...words] = [...inNetwork(hosts[name]), 'unshare', '--mount', '--propagation', 'private'];
  const script = `${mounts.join(' && ')} && echo ready && exec sleep infinity`;
  const keeper = spawn(program, [...words, 'sh', '-euc', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  keepers.set(name, keeper);
  let said = '';
  keeper.stdout?.on('data', (part) => {
    said += part;
  });
  await waitFor(`the host ${name}`, () => {
    if (keeper.exitCode !== null) throw new Error(`the host ${name} ended`);
    return said.includes('ready');
  });
}

/** What systemd does with `systemctl enable --now UNIT`. */
async function startUnit(name: HostName, unit: string): Promise<void> {
  const [, file = '', instance = ''] = /^(.*@)(.*)$/.exec(unit) ?? [];
  const text = (await readFile(path(name, `etc/systemd/system/${file}.service`), 'utf8')).replaceAll('%i', instance);
  const of = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? '';
  await at(name, `install -d -o ${of('User')} -m ${of('StateDirectoryMode')} /var/lib/${of('StateDirectory')}`);
  const [program = '', ...words] = [...inHost(name), 'sh', '-c'];
  const run = `cd ${of('WorkingDirectory')} && umask ${of('UMask')} && exec setpriv --reuid ${of('User')} --regid ${of('Group')} --init-groups ${of('ExecStart')} >/var/log/${instance}.log 2>&1`;
  started.push(spawn(program, [...words, run], { stdio: 'ignore', env: { PATH: process.env.PATH, HOME: '/opt' } }));
}

interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

async function blocks(): Promise<readonly Block[]> {
  const page = await readFile(join(root, 'docs/operating.md'), 'utf8');
  const own = page.split('\n## The first hour\n')[1]?.split('\n## ')[0] ?? '';
  return [...own.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language = '', text = '']) => ({
    language,
    lines: text
      .split('\n')
      .map((line) => (language === 'sh' ? line.replace(/ {2,}# .*$/, '') : line))
      .filter((line) => line !== ''),
  }));
}

testAsRoot(
  'the page leads from the packages to the main job, in few commands',
  async () => {
    const [packages, hostsFile, setup, start, check] = await blocks();
    const commands = [packages, setup, start, check].flatMap((block) => block?.lines ?? []);
    expect(commands.length).toBeLessThanOrEqual(mostCommands);
    expect(hostsFile?.language).toBe('yaml');

    // The packages are there, and the checkout is in /opt/tidegate: what is left is the account.
    for (const name of names) await at(name, packages?.lines.find((line) => line.startsWith('useradd')) ?? 'false');

    for (const file of ['ca.pem']) await copyFile(path(file), path('control-1', 'root', file));
    await writeFile(path('control-1/root/redis.password'), 'of redis\n');
    await writeFile(path('control-1/root/hosts.yaml'), `${hostsFile?.lines.join('\n')}\n`);
    const [first = '', database = '', second = '', copy = ''] = setup?.lines ?? [];
    await at('control-1', first);
    await at('control-1', database.replace('--password', '--password=admin'));
    const password = /^password: (.+)$/m.exec(await at('control-1', second))?.[1] ?? '';
    expect(password).not.toBe('');
    expect(copy).toMatch(/^scp \/root\/installation\/gateway-1\.tar\.gz /);
    for (const name of names)
      await copyFile(path(`control-1/root/installation/${name}.tar.gz`), path(name, 'root', `${name}.tar.gz`));

    for (const end of ['pem', 'key'])
      await copyFile(path(`front.${end}`), path('gateway-1/etc/nginx', `tidegate.${end}`));
    const [unpack = '', enable = ''] = start?.lines ?? [];
    for (const name of names) {
      await shell(`cd /root && ${unpack.replace('control-1', name)}`, inHost(name));
      const role = name.replace(/-.*/, '');
      await startUnit(name, enable.replace('systemctl enable --now ', '').replace('control', role));
    }
    // On a real host it runs since it was installed.
    await at('gateway-1', 'mkdir -p /run /var/lib/nginx && nginx');
    expect(start?.lines[2]).toBe('nginx -s reload');
    await at('gateway-1', start?.lines[2] ?? '');

    const [curl = '', login = ''] = check?.lines ?? [];
    const logs = () => shell(`tail -n 5 ${names.map((name) => path(name, 'log/*.log')).join(' ')}`);
    await waitFor('the installation', async () =>
      (await at('gateway-1', curl).catch(() => '')).startsWith('{"ready":true'),
    ).catch(async (error: unknown) => {
      throw new Error(await logs(), { cause: error });
    });
    for (const name of ['control-1', 'control-2'] as const)
      expect(await at(name, 'curl -sS http://127.0.0.1:4190/health/ready')).toMatch(/^\{"ready":true/);

    // The login asks on a terminal for the name and the password.
    await writeFile(path('gateway-1/root/alice.password'), password);
    const asAlice = login.replace(' && ', ' --user alice --password-file /root/alice.password && ');
    const trusting = 'export HOME=/root NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt';
    expect(await at('gateway-1', `${trusting}\n${asAlice}`)).toContain('shop');
    await relay(trusting);
  },
  300_000 * patience,
);

/** A firewall: nftables behind OpenSSH, on the host of the stores. Returns the fingerprint of its host key. */
async function startFirewall(): Promise<string> {
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  await shell(
    `cd ${folder.path}; ssh-keygen -q -t ed25519 -N '' -f host_key; ssh-keygen -q -t ed25519 -N '' -f gateway-1/root/id_fw`,
  );
  const lines = [
    ...[`HostKey ${path('host_key')}`, `AuthorizedKeysFile ${path('gateway-1/root/id_fw.pub')}`, 'StrictModes no'],
    ...['PasswordAuthentication no', 'PermitRootLogin yes', 'UsePAM no', 'UseDNS no', 'PidFile none'],
  ];
  await writeFile(path('sshd_config'), `${lines.join('\n')}\n`);
  await shell(
    'nft add table inet filter; nft add set inet filter blocked "{ type ipv4_addr; }"; ip link set lo up',
    inNetwork('c'),
  );
  const [program = '', ...words] = [...inNetwork('c'), '/usr/sbin/sshd', '-D', '-e', '-f', path('sshd_config')];
  started.push(spawn(program, words, { stdio: 'ignore' }));
  return (await shell(`ssh-keygen -lf ${path('host_key.pub')}`)).split(' ')[1] ?? '';
}

/** The main job through the public URL: a call that a relay sends to a device, and its recorded outcome. */
async function relay(trusting: string): Promise<void> {
  const tidegate = (line: string) => at('gateway-1', `${trusting}\nbin/tidegate ${line}`);
  const device = `--driver linux-nftables --host ${places.c} --username root --private-key-file /root/id_fw`;
  await tidegate(`backends create fw --project shop ${device} --host-key ${await startFirewall()} --wait 30`);
  const call = `setElement.add --arguments '{"set": "blocked", "address": "203.0.113.7"}' --cmp tenant/42`;
  expect(await tidegate(`call fw ${call} --project shop --wait 30`)).toContain('SUCCEEDED');
  expect(await shell('nft list set inet filter blocked', inNetwork('c'))).toContain('203.0.113.7');
  expect(await tidegate('mappings list --project shop')).toContain('tenant/42');
}
