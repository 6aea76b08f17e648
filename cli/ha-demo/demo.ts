// `tidegate up --ha`: high availability on one machine. Two hosts with data and a witness, each a network namespace with a disk of its own, the lab's
// firewall behind them, and one address in front. This process serves nothing. It only keeps the hosts running.
import { copyFile, lstat, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataVersion } from '../../compose/places.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { pathExists } from '../../embedded/find-program.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { Cluster } from '../../ha/cluster.ts';
import { etcdOf } from '../../ha/host/cluster-client.ts';
import { readHostFile } from '../../ha/host/host-file.ts';
import { serveSettingsPath } from '../../ha/host/host-settings.ts';
import { processFilePath } from '../../ha/host/served-file.ts';
import { findClockLibrary } from '../../lab/clock-library.ts';
import { LabBackends } from '../../lab/control-plane/backends.ts';
import { openDemoControl } from '../../lab/control-plane/control.ts';
import type { DeviceBackend } from '../../lab/device.ts';
import { labFolder } from '../../lab/folders.ts';
import { HaHosts } from '../../lab/ha/hosts.ts';
import { controlSocketOf, demoFolderIn, demoHostUrlsFile, demoUrlFile, hostDataFolder } from '../../lab/ha/places.ts';
import { dataHosts, endpointPort, firewallPort, type HostName, hostNames, prefix } from '../../lab/ha/plan.ts';
import { LabHere } from '../../lab/lab-source.ts';
import { Line } from '../../lab/lines.ts';
import { writeWhole } from '../../platform/secrets/key-file.ts';
import { CommandFailure } from '../failures.ts';
import { describeFailure } from '../start-failure.ts';
import { accountCompileCache, wayToAccount } from '../up/account.ts';
import { openStartLog } from '../up/start-log.ts';
import type { Output } from '../verb.ts';
import { DemoLab } from './demo-lab.ts';
import { hostProgram, writeClock } from './host-programs.ts';
import { isServing } from './serving.ts';
import { setUp, upgradeTables } from './set-up.ts';
import { describeDemo } from './summary.ts';

export interface DemoOptions {
  readonly dataPath: string;
  /** Whether root serves requests. */
  readonly asRoot: boolean;
  readonly level: string | undefined;
  readonly showsLog: boolean;
  readonly stdout: Output;
  readonly signal: AbortSignal;
}

const programs = [
  ...['/usr/bin/etcd', '/usr/bin/mariadb-backup', '/usr/sbin/keepalived', '/usr/sbin/mariadbd', '/usr/sbin/nft'],
  ...['/usr/bin/nsenter', '/usr/sbin/fsfreeze', '/usr/sbin/mkfs.ext4', '/usr/bin/mount'],
];
const serveTimeoutMs = 180_000;
const pauseMs = 500;
const registerTries = 60;

/** Resolves after the signal, when everything has ended. Throws CommandFailure, SetupError, system errors. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { stdout, signal } = options;
  await refuseUnfit();
  await using stack = new AsyncDisposableStack();
  try {
    stdout.write(await startDemo(options, stack));
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
    stdout.write('Stopping the hosts.\n');
  } catch (error) {
    if (!signal.aborted) throw describeFailure(error);
  }
  await stack.disposeAsync();
  stdout.write('Stopped.\n');
}

async function refuseUnfit(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new CommandFailure('--ha needs root: its hosts are network namespaces with disks of their own');
  const missing = [];
  for (const path of programs) if (!(await pathExists(path))) missing.push(path);
  if (missing.length > 0)
    throw new CommandFailure(`--ha needs ${missing.join(', ')}: "npm start -- --ha" installs what is missing`);
}

/** Returns what is printed. */
async function startDemo(options: DemoOptions, stack: AsyncDisposableStack): Promise<string> {
  const { dataPath, asRoot, signal, stdout } = options;
  const say = (text: string) => stdout.write(`${text}\n`);
  // Holds the data folder's lock, because a start without --ha has the same lab and commands.
  const whole = await openDataFolder(dataPath, { version: dataVersion });
  stack.defer(() => whole.close());
  await makeLabFolder(whole.path);
  const folder = demoFolderIn(whole.path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const config = { 'log.level': (options.level ?? 'warn') as 'warn', 'log.format': 'auto' } as const;
  const { log } = openStartLog(folder, { config, shows: options.showsLog, stdout });

  const clockLibrary = await findClockLibrary();
  const asAccount = new Map<HostName, readonly string[]>();
  const compileCache = asRoot ? undefined : await accountCompileCache();
  const hosts: HaHosts = await HaHosts.open({
    ...{ folder, log, signal },
    async programs({ name, disk }, program, skewSeconds) {
      await writeClock(disk.folder, skewSeconds, clockLibrary);
      const given = { plan: hosts.plan, asAccount: asAccount.get(name) ?? [], compileCache, clockLibrary };
      return hostProgram(program, disk.folder, skewSeconds, given);
    },
  });
  stack.defer(() => hosts.close());
  const dataOf = (name: HostName) => hostDataFolder(hosts.host(name).disk.folder);
  const folders = { a: dataOf('a'), b: dataOf('b'), w: dataOf('w') };

  const lab = new LabHere(folder, signal);
  stack.defer(() => lab.stop());
  if (hosts.isSetUp) {
    say('Starting the hosts a and b (data) and w (witness).');
    await Promise.all(hostNames.map((name) => hosts.host(name).begin(['agent'])));
  } else {
    say('Making the hosts a and b (data) and w (witness): a single machine on a, "ha init" there, "join" on b and w.');
    await setUp({ hosts, folders, asRoot, log, signal });
  }
  say('Waiting until the hosts have a primary.');
  await whenLed(folders.w, !hosts.isSetUp, signal);
  if (hosts.isSetUp) await upgradeTables({ hosts, folders, signal });
  else {
    for (const name of ['admin.password', 'admin.token']) await copyFile(join(folders.a, name), join(folder, name));
    await hosts.setUpDone();
  }
  const firewall = await startFirewall(lab, hosts, log, stack);
  for (const name of dataHosts) {
    const served = dirname(processFilePath(folders[name]));
    if (!asRoot) asAccount.set(name, await wayToAccount(served, serveSettingsPath(folders[name])));
    await hosts.host(name).begin(['serve']);
  }
  const serves = Promise.withResolvers<void>();
  const demoLab = new DemoLab({ hosts, lab, firewall });
  // Runs before the address answers: a client that reaches it may request the lab.
  const control = await openDemoControl(folder, controlSocketOf(folder), demoLab, serves.promise);
  stack.defer(() => control.stop());
  const url = `http://${hosts.plan.virtual}:${endpointPort}`;
  say(`Waiting for ${url}.`);
  await whenServing(url, signal);
  if (typeof firewall !== 'string') await register(url, folder, firewall, signal);
  const own = dataHosts.map((name) => `http://${hosts.plan.hosts[name]}:${endpointPort}\n`);
  await writeWhole(join(folder, demoHostUrlsFile), own.join(''));
  await writeWhole(join(folder, demoUrlFile), `${url}\n`);
  stack.defer(() => rm(join(folder, demoUrlFile), { force: true }));
  serves.resolve();
  return describeDemo({ url, folder, dataPath: whole.path, hosts, firewall });
}

/** Owned by root, because others could have created it in the data folder of an earlier start without --ha. */
async function makeLabFolder(dataPath: string): Promise<void> {
  const path = join(dataPath, labFolder);
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== 0)
    throw new CommandFailure(`${path} is not a folder of root: name another data folder with --data DIR`);
}

/** `needsBoth`: waits until both data hosts have every write. Otherwise until one takes writes. */
async function whenLed(witness: string, needsBoth: boolean, signal: AbortSignal): Promise<void> {
  const file = await readHostFile(witness);
  const etcd = etcdOf(file);
  try {
    const cluster = new Cluster(etcd, file.cluster, file.members);
    for (;;) {
      const seen = await cluster.status().catch(() => undefined);
      if (seen !== undefined && (needsBoth ? seen.copies === 2 : seen.primary !== null)) return;
      await sleep(pauseMs, undefined, { signal });
    }
  } finally {
    etcd.close();
  }
}

/** Runs on the hosts' network, at this machine's address. Undefined if it can't start. The reason is printed. */
async function startFirewall(
  lab: LabHere,
  { plan }: HaHosts,
  log: SetupLog,
  stack: AsyncDisposableStack,
): Promise<DeviceBackend | string> {
  const answer = await lab.start('firewall', log);
  if (!answer.available) return answer.unavailable;
  const { backend } = answer.part;
  if (backend === undefined) return 'it is no backend';
  const { host, port } = backend;
  const at = { host: plan.machine, port: firewallPort };
  const line = await Line.lay({ at, host, port, block: `${plan.net}.0/${prefix}` });
  stack.defer(() => line.stop());
  return { ...backend, ...at };
}

async function whenServing(url: string, signal: AbortSignal): Promise<void> {
  const endsAtMs = performance.now() + serveTimeoutMs;
  for (;;) {
    if (await isServing(url)) return;
    if (performance.now() > endsAtMs)
      throw new CommandFailure(`${url} does not answer: see the logs of the hosts (logs/ in the demo's folder)`);
    await sleep(pauseMs, undefined, { signal });
  }
}

/** A primary that changes just then has it later. */
async function register(url: string, folder: string, backend: DeviceBackend, signal: AbortSignal): Promise<void> {
  const token = (await readFile(join(folder, 'admin.token'), 'utf8')).trim();
  const backends = new LabBackends({ running: { url }, token, signal });
  for (let tries = registerTries; ; tries -= 1) {
    try {
      return await backends.register('firewall', backend);
    } catch (error) {
      if (tries === 0 || signal.aborted) throw error;
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
