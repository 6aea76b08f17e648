// A real web application firewall: Apache 2.4 with ModSecurity 2.9 and the Core Rule Set 3.3 in front of two sites, administered
// over OpenSSH. It runs in its own namespaces with a private configuration; an Apache of the machine is not touched, and
// everything ends with this process.
// needs: apache2-bin, libapache2-mod-security2, modsecurity-crs, openssh-server, openssh-client, root

import { mkdir, readFile, realpath, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { runProgram } from '../embedded/run-program.ts';
import { killQuietly, ServerProcess } from '../embedded/server-process.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import { atMost } from '../platform/work/within.ts';
import { WafLogin } from './apache-waf/login.ts';
import { type WafSite, writeSettings } from './apache-waf/settings.ts';
import { ensureKeys } from './keys.ts';
import { namespaceObstacle } from './obstacle.ts';

export interface RunningWaf {
  readonly available: true;
  /** Plain HTTP; the Host header chooses the site. */
  readonly http: { readonly host: string; readonly port: number };
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly privateKeyPath: string;
    readonly hostKeySha256: string;
  };
  readonly sites: readonly WafSite[];
  /** The folder that is /etc/apache2 inside. */
  readonly configFolder: string;
  /** Killing it ends everything inside. */
  readonly pid: number;
  stop(): Promise<void>;
}

type ApacheWaf = RunningWaf | { readonly available: false; readonly unavailable: string };

interface ApacheWafOptions {
  /** A private folder; keys and the sites' configuration in it are kept. */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal?: AbortSignal;
}

const HOST = '127.0.0.1';
const SCRIPTS = join(import.meta.dirname, 'apache-waf');
const SITES: readonly WafSite[] = [
  { name: 'shop.lab', mode: 'On' },
  { name: 'intranet.lab', mode: 'DetectionOnly' },
];
const PROGRAMS = ['/usr/sbin/apache2', '/usr/sbin/sshd', '/usr/bin/ssh-keygen', '/usr/bin/nsenter'];
const FILES = ['/usr/lib/apache2/modules/mod_security2.so', '/usr/share/modsecurity-crs/rules', '/etc/apache2'];
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const MOST_LOG_BYTES = 16 * 1024 * 1024;
const TRIM_INTERVAL_MS = 60_000;
/** Another process may take a free port before Apache listens on it. */
const MAX_STARTS = 5;

/** Returns the reason why it can't run here. Undefined if it can. */
export async function apacheWafObstacle(): Promise<string | undefined> {
  const obstacle = await namespaceObstacle([...PROGRAMS, ...FILES]);
  if (obstacle !== undefined) return obstacle;
  const probe = await runProgram('unshare', ['--mount', '--pid', '--fork', 'true']);
  return probe.exitCode === 0 ? undefined : "namespaces can't be made here";
}

/** Starts it, or returns the reason why it can't. Throws only if it should have worked and did not. */
export async function startApacheWaf(options: ApacheWafOptions): Promise<ApacheWaf> {
  const unavailable = await apacheWafObstacle();
  if (unavailable !== undefined) return { available: false, unavailable };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.folder);
  const keys = await ensureKeys(join(folder, 'keys'));
  await rm(join(folder, 'device'), { recursive: true, force: true });
  // Apache's workers run as another user: the pages are readable for all, the folder above them is not visible to them.
  for (const name of ['device', 'mount']) await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
  await mkdir(join(folder, 'device', 'www'), { mode: 0o755 });
  await writeFile(join(folder, 'device', 'www', 'index.html'), 'served\n');
  const { apache, port } = await startApache(folder, options);
  try {
    const inside = await firstInside(apache.pid);
    const login = await WafLogin.start(inside);
    const configFolder = join(folder, 'etc');
    const trimming = setInterval(() => void trimLog(join(folder, 'device', 'error.log')), TRIM_INTERVAL_MS);
    trimming.unref();
    return {
      available: true,
      http: { host: HOST, port },
      ssh: { host: login.host, port: login.port, username: login.username, ...keys },
      sites: SITES,
      configFolder,
      pid: apache.pid,
      async stop() {
        clearInterval(trimming);
        await login.stop();
        // Apache is the first process of its namespace: it ends after all others there, and then `unshare` ends.
        killQuietly(inside, 'SIGKILL');
        await atMost(STOP_TIMEOUT_MS, apache.exited);
        await apache.stop();
      },
    };
  } catch (error) {
    await apache.stop();
    throw error;
  }
}

async function startApache(
  folder: string,
  options: ApacheWafOptions,
): Promise<{ apache: ServerProcess; port: number }> {
  for (let start = 1; ; start += 1) {
    const port = await freePort();
    await writeSettings(join(folder, 'etc'), port, SITES);
    const apache = new ServerProcess({
      name: "The lab's web application firewall",
      command: 'unshare',
      args: [
        ...['--mount', '--pid', '--ipc', '--fork', '--kill-child=KILL', '--propagation', 'private'],
        ...['sh', join(SCRIPTS, 'start.sh'), folder, SCRIPTS],
      ],
      cwd: '/',
      runAs: undefined,
      log: options.log,
      endSignal: 'SIGKILL',
    });
    try {
      await apache.waitUntilReady(() => answers(port), READY_TIMEOUT_MS, options.signal);
      return { apache, port };
    } catch (error) {
      await apache.stop();
      const said = `${apache.lastOutput}${await readFile(join(folder, 'device', 'error.log'), 'utf8').catch(() => '')}`;
      if (start === MAX_STARTS || !said.includes('Address already in use')) throw error;
    }
  }
}

/** Apache appends to it, so an emptied log continues at its beginning. */
async function trimLog(path: string): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size > MOST_LOG_BYTES) await truncate(path).catch(() => {});
}

/** Apache's pid on this machine: the only child of the `unshare` that was started. */
async function firstInside(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  if (children.length !== 1 || !(Number(children[0]) > 0)) throw new Error('Apache is not running.');
  return Number(children[0]);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, HOST, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function answers(port: number): Promise<void> {
  const reply = await fetch(`http://${HOST}:${port}/`, { signal: AbortSignal.timeout(2_000) });
  if (reply.status !== 200) throw new Error(`Apache answers with status ${reply.status}`);
}
