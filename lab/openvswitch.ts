// A real Open vSwitch: ovsdb-server with a database in a private folder, reachable over mutual TLS and, for its own tools, through a Unix socket
// behind OpenSSH. ovs-vswitchd forwards packets in user space, in its own network namespace. Leaves an Open vSwitch of the machine alone. Everything
// ends with this process.
// needs: openvswitch-switch, openssl, openssh-server, openssh-client, root

import { mkdir, open, readFile, realpath } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { MAX_SOCKET_PATH_BYTES } from '../embedded/data-folder.ts';
import { pathExists } from '../embedded/find-program.ts';
import { type ProgramResult, runProgram } from '../embedded/run-program.ts';
import { ServerProcess } from '../embedded/server-process.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import { ensureKeys } from './keys.ts';
import { namespaceObstacle } from './obstacle.ts';
import { makeOvsCertificates, type OvsCertificates } from './openvswitch-certificates.ts';
import { OvsLogin } from './openvswitch-login.ts';

export interface RunningOpenVswitch {
  readonly available: true;
  /** RFC 7047 over TLS; only clients with a certificate signed by `certificates.ca` are accepted. */
  readonly ovsdb: { readonly host: string; readonly port: number; readonly certificates: OvsCertificates };
  /** `ovsdb-client` and `ovs-vsctl` find this database there by default. */
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly privateKeyPath: string;
    readonly hostKeySha256: string;
  };
  /**
   * The forwarding part: `netdev`, ovs-vswitchd with its datapath in user space; `none`: it does not run here, and there is only
   * the database.
   */
  readonly datapath: 'netdev' | 'none';
  readonly databasePid: number;
  /** Contains the log of every change, for ovsdb-tool. */
  readonly databasePath: string;
  /** Undefined without a datapath. */
  readonly switchPid: number | undefined;
  /** Runs ovs-vsctl on this database, independent of everything under test. */
  vsctl(...args: readonly string[]): Promise<ProgramResult>;
  /** Runs a program in the switch's network namespace, which contains its interfaces. */
  inside(command: string, ...args: readonly string[]): Promise<ProgramResult>;
  stop(): Promise<void>;
}

type OpenVswitch = RunningOpenVswitch | { readonly available: false; readonly unavailable: string };

interface OpenVswitchOptions {
  /** A private folder; created if missing. */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal?: AbortSignal;
}

const HOST = '127.0.0.1';
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const PROGRAMS = ['/usr/sbin/ovsdb-server', '/usr/bin/ovsdb-tool', '/usr/bin/ovs-vsctl', '/usr/bin/openssl', SCHEMA];
const LOGIN_PROGRAMS = ['/usr/sbin/sshd', '/usr/bin/ssh-keygen'];
const READY_TIMEOUT_MS = 60_000;
const VSCTL_TIMEOUT_MS = 10_000;

/** Returns the reason why it can't run here. Undefined if it can. */
function openVswitchObstacle(): Promise<string | undefined> {
  return namespaceObstacle([...PROGRAMS, ...LOGIN_PROGRAMS]);
}

/** Starts it, or returns the reason why it can't. Throws only if it should have worked and did not. */
export async function startOpenVswitch(options: OpenVswitchOptions): Promise<OpenVswitch> {
  const unavailable = await openVswitchObstacle();
  if (unavailable !== undefined) return { available: false, unavailable };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.folder);
  if (Buffer.byteLength(join(folder, 'ovs-vswitchd.ctl')) > MAX_SOCKET_PATH_BYTES)
    return { available: false, unavailable: `the path ${folder} is too long for its Unix sockets` };
  const servers = new StartedServers();
  try {
    return await assemble(folder, options, servers);
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Started servers, to be stopped in reverse order. */
class StartedServers {
  readonly #started: { stop(): Promise<void> }[] = [];

  keep<Started extends { stop(): Promise<void> }>(started: Started): Started {
    this.#started.push(started);
    return started;
  }

  async stop(): Promise<void> {
    for (const each of this.#started.splice(0).reverse()) await each.stop();
  }
}

async function assemble(
  folder: string,
  options: OpenVswitchOptions,
  servers: StartedServers,
): Promise<RunningOpenVswitch> {
  const certificates = await makeOvsCertificates(join(folder, 'tls'));
  const keys = await ensureKeys(join(folder, 'keys'));
  const { database, port } = await startDatabase(folder, certificates, options, servers);
  const vsctl = (...args: readonly string[]): Promise<ProgramResult> =>
    runProgram('ovs-vsctl', [`--db=unix:${socketIn(folder)}`, '--timeout=10', ...args], {
      timeoutMs: VSCTL_TIMEOUT_MS,
    });
  await describeItself(vsctl);
  const daemon = await startSwitch(folder, options, servers, vsctl);
  const login = servers.keep(await OvsLogin.start({ folder, keysFolder: join(folder, 'keys') }));
  return {
    available: true,
    ovsdb: { host: HOST, port, certificates },
    ssh: { host: HOST, port: login.port, username: login.username, ...keys },
    datapath: daemon === undefined ? 'none' : 'netdev',
    databasePid: database.pid,
    databasePath: databaseIn(folder),
    switchPid: daemon?.pid,
    vsctl,
    inside(command, ...args) {
      if (daemon === undefined) throw new Error('The switch is not running.');
      return runProgram('nsenter', [`--net=/proc/${daemon.pid}/ns/net`, command, ...args]);
    },
    stop: () => servers.stop(),
  };
}

const databaseIn = (folder: string): string => join(folder, 'conf.db');
const socketIn = (folder: string): string => join(folder, 'db.sock');

async function startDatabase(
  folder: string,
  certificates: OvsCertificates,
  options: OpenVswitchOptions,
  servers: StartedServers,
): Promise<{ database: ServerProcess; port: number }> {
  const file = databaseIn(folder);
  if (!(await pathExists(file))) {
    const made = await runProgram('ovsdb-tool', ['create', file, SCHEMA]);
    if (made.exitCode !== 0) throw new Error(`ovsdb-tool could not create ${file}: ${made.stderr.trim()}`);
  }
  const logFile = join(folder, 'ovsdb-server.log');
  // It appends: the port must not be read from the log of an earlier start.
  await (await open(logFile, 'w')).close();
  const { files } = certificates.server;
  const database = servers.keep(
    new ServerProcess({
      name: 'ovsdb-server',
      command: 'ovsdb-server',
      args: [
        ...[file, `--remote=punix:${socketIn(folder)}`, `--remote=pssl:0:${HOST}`],
        ...[`--private-key=${files.key}`, `--certificate=${files.cert}`, `--ca-cert=${certificates.caFile}`],
        ...[`--unixctl=${join(folder, 'ovsdb-server.ctl')}`, `--log-file=${logFile}`, '--verbose=console:off'],
      ],
      cwd: folder,
      runAs: undefined,
      log: options.log,
    }),
  );
  let port = 0;
  await database.waitUntilReady(
    async () => {
      port = Number(/listening on port (\d+)/.exec(await readFile(logFile, 'utf8'))?.[1]);
      if (!(port > 0)) throw new Error('it has not printed its port');
      await connected(socketIn(folder));
    },
    READY_TIMEOUT_MS,
    options.signal,
  );
  return { database, port };
}

function connected(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** Writes the switch's own row, its version and its identity at every start, like ovs-ctl(8). */
async function describeItself(vsctl: RunningOpenVswitch['vsctl']): Promise<void> {
  const version = /(\d+\.\d+\.\d+)/.exec((await vsctl('--version')).stdout)?.[1] ?? '';
  const identity = 'external_ids:system-id=6f1d1a2e-5c47-4b0e-9d1c-7a52c3c8a001';
  const written = await vsctl(
    '--no-wait',
    'init',
    '--',
    'set',
    'Open_vSwitch',
    '.',
    `ovs_version=${version}`,
    identity,
  );
  if (written.exitCode !== 0) throw new Error(`ovs-vsctl could not configure the switch: ${written.stderr.trim()}`);
}

/**
 * Starts ovs-vswitchd in its own network namespace, so that its interfaces are not among the machine's. Undefined without
 * /dev/net/tun, which its datapath in user space needs for a bridge's own port, or without such a namespace.
 */
async function startSwitch(
  folder: string,
  options: OpenVswitchOptions,
  servers: StartedServers,
  vsctl: RunningOpenVswitch['vsctl'],
): Promise<ServerProcess | undefined> {
  const programs = ['/usr/sbin/ovs-vswitchd', '/usr/bin/nsenter', '/dev/net/tun'];
  for (const program of programs) if (!(await pathExists(program))) return undefined;
  if ((await runProgram('unshare', ['--net', 'true'])).exitCode !== 0) return undefined;
  const daemon = servers.keep(
    new ServerProcess({
      name: 'ovs-vswitchd',
      command: 'unshare',
      args: [
        ...['--net', 'ovs-vswitchd', `unix:${socketIn(folder)}`, '--disable-system', '--disable-system-route'],
        ...[`--unixctl=${join(folder, 'ovs-vswitchd.ctl')}`, `--log-file=${join(folder, 'ovs-vswitchd.log')}`],
        '--verbose=console:off',
      ],
      cwd: folder,
      runAs: undefined,
      log: options.log,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', OVS_RUNDIR: folder, OVS_LOGDIR: folder },
    }),
  );
  await daemon.waitUntilReady(
    async () => {
      const { stdout } = await vsctl('get', 'Open_vSwitch', '.', 'datapath_types');
      if (!stdout.includes('netdev')) throw new Error('it has not reported its datapath types');
    },
    READY_TIMEOUT_MS,
    options.signal,
  );
  return daemon;
}
