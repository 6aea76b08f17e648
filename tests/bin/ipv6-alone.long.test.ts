// `tidegate serve` on a machine without any IPv4 address: control plane with a worker, gateway, MariaDB and Redis over TCP, an SSH device, and the
// command line, all at ::1 of a network namespace.
// needs: curl, openssh-server, openssh-client, iproute2, util-linux, root
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startProcess } from '../../compose/process.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { patience } from '../support/machine/patience.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../support/product/running-system.ts';
import { startProgram } from './support/up-process.ts';

const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;
const program = join(import.meta.dirname, '../../bin/tidegate');
const withoutIpv4 = 'ip link set lo up && ip address delete 127.0.0.1/8 dev lo && exec "$@"';
/** Both stores have Unix sockets only: this leads there from ::1. */
const relay = `const net = require('node:net');
  for (const [port, path] of [[3306, process.argv[1]], [6379, process.argv[2]]])
    net.createServer((near) => {
      const far = net.connect(path);
      for (const [from, to] of [[near, far], [far, near]]) from.pipe(to).on('error', () => from.destroy());
    }).listen(port, '::1');`;

describeAsRoot('without IPv4', () => {
  let place: SystemPlace;
  let network: ChildProcess;
  let token: string;
  let sshd: ChildProcess | undefined;
  const programs = new Map<string, ReturnType<typeof startProgram>>();
  const file = (name: string) => join(place.folder.path, name);
  const inside = () => ['nsenter', `--net=/proc/${network.pid}/ns/net`, '--'];

  async function tidegate(...words: readonly string[]) {
    const [command = '', ...rest] = [...inside(), 'env', `TIDEGATE_TOKEN=${token}`, program, ...words];
    return runProgram(command, rest, { timeoutMs: 60_000 * patience });
  }

  async function start(name: string, settings: object): Promise<void> {
    await writeFile(file(`${name}.json`), JSON.stringify(settings));
    programs.set(name, startProgram(['serve', '--as-root', '--config', file(`${name}.json`)], {}, undefined, inside()));
  }

  async function statusAt(port: number): Promise<string> {
    const words = ['curl', '-sS', `http://[::1]:${port}/health/ready`];
    const [command = '', ...rest] = [...inside(), ...words];
    return (await runProgram(command, rest, { timeoutMs: 10_000 * patience })).stdout;
  }

  beforeAll(async () => {
    place = await systemPlace();
    const { socketPath } = place.database.connection;
    const first = await startProcess(
      readConfig({ flags: { ...place.settings, roles: 'system' } }, subgraphRows),
      createLogger({ level: 'silent', pretty: false }),
    );
    token = await accountsOf(place, first);
    await first.stop();
    const node = [process.execPath, '-e', relay, socketPath, place.database.redisPath];
    network = spawn('unshare', ['--net', 'sh', '-c', withoutIpv4, 'sh', ...node], { stdio: 'inherit' });
    await waitFor('the stores at ::1', async () => {
      const [command = '', ...rest] = [...inside(), 'ss', '-ltn'];
      return (await runProgram(command, rest)).stdout.includes('[::1]:6379');
    });
    const { 'database.socketPath': _one, 'redis.path': _other, ...more } = place.settings;
    const common = { ...more, 'log.level': 'warn' };
    await start('control', {
      ...{ ...common, roles: ['system', 'relay', 'worker'], 'database.host': '::1', 'redis.host': '::1' },
      ...{ 'internal.host': '::1', 'internal.systemPort': 4101, 'internal.relayPort': 4102 },
      ...{ 'watch.host': '::1', 'watch.port': 4190 },
    });
    await start('gateway', {
      ...{ roles: ['gateway'], 'keys.folder': place.settings['keys.folder'], 'listen.host': '::1' },
      'subgraphs.systemUrl': 'http://[::1]:4101/graphql',
      'subgraphs.relayUrl': 'http://[::1]:4102/graphql',
    });
  }, 120_000 * patience);

  afterAll(async () => {
    for (const { child } of programs.values()) child.kill('SIGTERM');
    await Promise.all([...programs.values()].map(({ ended }) => ended));
    for (const each of [sshd, network]) {
      each?.kill('SIGKILL');
      if (each !== undefined && each.exitCode === null && each.signalCode === null) await once(each, 'exit');
    }
    await place?.remove();
  }, 60_000 * patience);

  test('both processes are ready, and doctor finds nothing wrong', async () => {
    const outputs = () => [...programs].map(([name, { output }]) => `${name}: ${output()}`).join('\n');
    for (const [port, name] of [
      [4190, 'control'],
      [4000, 'gateway'],
    ] as const)
      await waitFor(`${name} to be ready`, async () => {
        if (programs.get(name)?.child.exitCode !== null) throw new Error(outputs());
        return (await statusAt(port)).includes('"ready":true');
      });
    expect(await tidegate('doctor', '--config', file('control.json'))).toMatchObject({
      ...{ exitCode: 0, stdout: 'nothing is wrong with this host\n' },
    });
    expect(await tidegate('doctor', '--config', file('gateway.json'))).toMatchObject({ exitCode: 0 });
  });

  test('a device at ::1 is registered and reached', async () => {
    await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('host_key')]);
    const config = [
      `HostKey ${file('host_key')}`,
      'PidFile none',
      'UsePAM no',
      'LogLevel VERBOSE',
      'ListenAddress [::1]:2222',
    ];
    await writeFile(file('sshd_config'), `${config.join('\n')}\n`);
    await runProgram('mkdir', ['-p', '/run/sshd']);
    await writeFile(file('device.password'), 'not-a-real-one\n');
    const [command = '', ...rest] = [...inside(), '/usr/sbin/sshd', '-D', '-e', '-f', file('sshd_config')];
    sshd = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
    let seen = '';
    sshd.stderr?.on('data', (part) => {
      seen += part;
    });
    const url = ['--url', 'http://[::1]:4000'];
    const driver = ['--driver', 'linux-nftables', '--host', '::1', '--port', '2222'];
    const account = ['--username', 'root', '--backend-password-file', file('device.password')];
    const made = await tidegate('backends', 'create', 'firewall', ...driver, ...account, ...url);
    expect(made).toMatchObject({ exitCode: 0 });
    await waitFor('a connection to the device', async () => seen.includes('Connection from ::1'));
    expect(await statusAt(4190)).not.toContain('"required":false,"ready":false');
  });
});
