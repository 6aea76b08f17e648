// The lab: a real Linux firewall (nftables behind OpenSSH) between a client and a server, all on this machine. Its processes end with this one, and
// its rules are in the folder for the next start. Its namespaces are named after the folder, so that the next start finds the namespaces of a killed
// one, saves their rules and removes them.
// needs: nftables, iproute2, root

import { mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../embedded/find-program.ts';
import { killQuietly, type ServerExit, type ServerProcess } from '../embedded/server-process.ts';
import { type SetupLog, silentLog } from '../embedded/setup-log.ts';
import { type Claim, ownClaims } from './claims/claims.ts';
import type { DeviceFaults } from './device-faults.ts';
import { inNamespace } from './exec.ts';
import { keepRuleset, loadRuleset } from './kept-ruleset.ts';
import { ensureKeys, type LabKeys } from './keys.ts';
import {
  CLIENT_ADDRESS,
  CLIENT_ADDRESS6,
  type LabNames,
  layOutNetwork,
  namesFor,
  presentNamespaces,
  removeNetwork,
  SERVER_ADDRESS,
  SERVER_ADDRESS6,
} from './network.ts';
import { namespaceObstacle } from './obstacle.ts';
import { deviceFaults, deviceLogPath, deviceNeeds, devicePort, startDevice } from './ssh-device.ts';

interface LabHost {
  readonly namespace: string;
  readonly address: string;
  readonly address6: string;
}

export interface RunningLab {
  readonly available: true;
  readonly firewall: {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly privateKeyPath: string;
    readonly hostKeySha256: string;
    readonly namespace: string;
    /** Killing it ends the whole device, including sessions. */
    readonly pid: number;
  };
  readonly client: LabHost;
  readonly server: LabHost;
  /** Read it with `readDeviceLog`. */
  readonly deviceLogPath: string;
  readonly faults: DeviceFaults;
  /** Settles when the firewall has ended, by itself or by `stop`. */
  readonly exited: Promise<ServerExit>;
  /** A delay of every nft execution; zero switches it off. */
  setDelay(delayMs: number): Promise<void>;
  stop(): Promise<void>;
}

type Lab = RunningLab | { readonly available: false; readonly unavailable: string };

interface LabOptions {
  /** A private folder; keys in it are kept. No other process may run a lab in it (the data folder's lock prevents that). */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal?: AbortSignal;
}

const USERNAME = 'netops';
const RULESET = 'ruleset.json';
/** Interval of saving: changes since then are lost if the machine crashes. */
const KEEP_INTERVAL_MS = 5_000;
const DEVICE = join(import.meta.dirname, 'device', 'nftables.sh');
const FIRST_RULES = join(import.meta.dirname, 'device', 'nftables.nft');
const PROGRAMS = ['/usr/sbin/nft', ...deviceNeeds];

/** Returns the reason why the lab can't run here. Undefined if it can. */
function labObstacle(): Promise<string | undefined> {
  return namespaceObstacle(PROGRAMS);
}

/** Starts the lab, or returns the reason why it can't. Throws only if it should have worked and did not. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const obstacle = await labObstacle();
  if (obstacle !== undefined) return { available: false, unavailable: obstacle };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.folder);
  const names = namesFor(folder);
  await ownClaims.claim(claimOf(folder));
  const state = await readState(folder);
  await takeOver(folder, names, state, options.log);
  const keys = await ensureKeys(join(folder, 'keys'));
  const faults = await deviceFaults(folder);

  const subnet = state.subnet === undefined ? {} : { subnet: state.subnet };
  await writeState(folder, { folder, ...subnet });
  let network: { subnet: number; managementAddress: string };
  try {
    network = await layOutNetwork(names, state.subnet, options.signal);
  } catch (error) {
    await remove(folder, names);
    options.signal?.throwIfAborted();
    return { available: false, unavailable: `network namespaces can't be made here (${String(error)})` };
  }
  try {
    await loadRules(folder, names, options.log);
    const device = await startDevice({
      name: "The lab's firewall",
      device: DEVICE,
      folder,
      namespace: names.firewall,
      address: network.managementAddress,
      log: options.log,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (typeof device === 'string') {
      await remove(folder, names);
      return { available: false, unavailable: `its firewall can't be shut off from this machine here (${device})` };
    }
    const startTime = await startTimeOf(device.pid);
    await writeState(folder, { folder, subnet: network.subnet, pid: device.pid, startTime });
    const rules = new KeptRules(folder, names, options.log);
    return assemble({ folder, names, keys, faults, device, rules, host: network.managementAddress });
  } catch (error) {
    await remove(folder, names);
    throw error;
  }
}

/** Ends the firewall without a new lab, and keeps its rules. `folder`: its real path, which may be gone. */
export async function endAbandonedFirewall(folder: string): Promise<void> {
  await takeOver(folder, namesFor(folder), await readState(folder), silentLog);
}

/** Removes the remains of a lab in this folder whose owner was killed. The caller makes sure that no lab runs there. */
export async function removeAbandonedLab(folder: string): Promise<void> {
  const path = await realpath(folder);
  await endLeftOver(await readState(path));
  await removeNetwork(namesFor(path));
}

async function remove(folder: string, names: LabNames): Promise<void> {
  await removeNetwork(names);
  ownClaims.release(claimOf(folder));
}

function claimOf(folder: string): Claim {
  return { kind: 'firewall', what: folder };
}

function assemble(dependencies: {
  folder: string;
  names: LabNames;
  keys: LabKeys;
  faults: DeviceFaults;
  device: ServerProcess;
  rules: KeptRules;
  host: string;
}): RunningLab {
  const { folder, names, keys, faults, device, rules } = dependencies;
  return {
    available: true,
    firewall: {
      host: dependencies.host,
      port: devicePort,
      username: USERNAME,
      ...keys,
      namespace: names.firewall,
      pid: device.pid,
    },
    client: { namespace: names.client, address: CLIENT_ADDRESS, address6: CLIENT_ADDRESS6 },
    server: { namespace: names.server, address: SERVER_ADDRESS, address6: SERVER_ADDRESS6 },
    deviceLogPath: deviceLogPath(folder),
    faults,
    exited: device.exited,
    setDelay: (delayMs) => faults.setDelay(delayMs),
    async stop() {
      await device.stop();
      await rules.stop();
      await remove(folder, names);
    },
  };
}

/** The initial rules of such a firewall, or the kept ones. */
async function loadRules(folder: string, names: LabNames, log: SetupLog): Promise<void> {
  const kept = join(folder, RULESET);
  try {
    if (await loadRuleset(names.firewall, kept)) return;
  } catch (error) {
    await rename(kept, `${kept}.damaged`);
    log.warn(
      `The firewall's kept rules can't be loaded, so it has its first rules: ${String(error)} (${kept}.damaged)`,
    );
    await inNamespace(names.firewall, 'nft', ['flush', 'ruleset']);
  }
  const loaded = await inNamespace(names.firewall, 'nft', ['--file', FIRST_RULES]);
  if (loaded.exitCode !== 0) throw new Error(`The lab's ruleset could not be loaded: ${loaded.stderr.trim()}`);
}

/** Keeps the rules in a file: at the end, and for a crash of the machine also while it runs, if calls have reached the device. */
class KeptRules {
  readonly #folder: string;
  readonly #names: LabNames;
  readonly #log: SetupLog;
  readonly #timer: NodeJS.Timeout;
  #seen = '';
  #work: Promise<void> = Promise.resolve();

  constructor(folder: string, names: LabNames, log: SetupLog) {
    this.#folder = folder;
    this.#names = names;
    this.#log = log;
    this.#timer = setInterval(() => this.#keepIfUsed(), KEEP_INTERVAL_MS);
    this.#timer.unref();
  }

  /** The device must have ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
    await keepRules(this.#folder, this.#names, this.#log);
  }

  #keepIfUsed(): void {
    this.#work = this.#work.then(async () => {
      const { mtimeMs, size } = await stat(deviceLogPath(this.#folder)).catch(() => ({ mtimeMs: 0, size: 0 }));
      const now = `${mtimeMs} ${size}`;
      if (size === 0 || now === this.#seen) return;
      this.#seen = now;
      await keepRules(this.#folder, this.#names, this.#log);
    });
  }
}

async function keepRules(folder: string, names: LabNames, log: SetupLog): Promise<void> {
  await keepRuleset(names.firewall, join(folder, RULESET)).catch((error: unknown) =>
    log.warn(`The rules of the lab's firewall are not kept: ${String(error)}`),
  );
}

interface LabState {
  /** Folder where it ran. */
  readonly folder?: string;
  readonly subnet?: number;
  /** Process of a device that runs with its rules. */
  readonly pid?: number;
  /** Field 22 of /proc/PID/stat: distinguishes a process from a later one with the same pid. */
  readonly startTime?: string;
}

/** Ends and removes the lab of a killed owner, and keeps its rules. In a moved folder: the lab of the old path. */
async function takeOver(folder: string, names: LabNames, state: LabState, log: SetupLog): Promise<void> {
  const before = state.folder ?? folder;
  // Copied, not moved: processes at the old path do not belong to this folder.
  const isCopy = before !== folder && (await pathExists(before));
  const old = isCopy ? names : namesFor(before);
  if (!isCopy) {
    await endLeftOver(state);
    const ranWithItsRules = state.pid !== undefined;
    if (ranWithItsRules && (await presentNamespaces(old)).includes(old.firewall)) await keepRules(folder, old, log);
  }
  for (const left of [old, names]) {
    const present = await presentNamespaces(left);
    if (present.length === 0) continue;
    log.info(`Removing the lab of an earlier run (${present.join(', ')}).`);
    await removeNetwork(left);
  }
}

async function endLeftOver({ pid, startTime }: LabState): Promise<void> {
  if (pid !== undefined && startTime !== undefined && (await startTimeOf(pid)) === startTime)
    killQuietly(pid, 'SIGKILL');
}

async function startTimeOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function readState(folder: string): Promise<LabState> {
  const text = await readFile(join(folder, 'state.json'), 'utf8').catch(() => '{}');
  try {
    const { folder: ranIn, subnet, pid, startTime } = JSON.parse(text) as Record<string, unknown>;
    return {
      ...(typeof ranIn === 'string' ? { folder: ranIn } : {}),
      ...(typeof subnet === 'number' && Number.isInteger(subnet) && subnet >= 0 && subnet < 16_384 ? { subnet } : {}),
      ...(typeof pid === 'number' && Number.isInteger(pid) && pid > 1 ? { pid } : {}),
      ...(typeof startTime === 'string' && startTime !== '' ? { startTime } : {}),
    };
  } catch {
    return {};
  }
}

async function writeState(folder: string, state: LabState): Promise<void> {
  const path = join(folder, 'state.json');
  await writeFile(`${path}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
