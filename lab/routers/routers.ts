// Two real routers: FRR behind OpenSSH, each in its own network namespace. Saved configurations are in their folders. When the routers are
// stopped, and every few seconds in case the machine crashes, the running configuration is saved too, as if they had never been restarted.
// needs: frr, nftables, root

import { createHash } from 'node:crypto';
import { chown, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import { runProgram } from '../../embedded/run-program.ts';
import type { ServerProcess } from '../../embedded/server-process.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import type { HostAct } from '../device.ts';
import type { DeviceFaults } from '../device-faults.ts';
import { ensureKeys, type LabKeys } from '../keys.ts';
import { namespaceObstacle } from '../obstacle.ts';
import { deviceFaults, deviceLogPath, deviceNeeds, devicePort, startDevice } from '../ssh-device.ts';
import { setCut } from '../switched-network.ts';
import { type RouterPlan, RoutersNetwork } from './network.ts';

export interface RunningRouter {
  readonly plan: RouterPlan;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKeyPath: string;
  readonly hostKeySha256: string;
  readonly namespace: string;
  /** Read it with `readDeviceLog`. */
  readonly deviceLogPath: string;
  readonly faults: DeviceFaults;
  /** Pid of a process inside, for nsenter. */
  insidePid(): Promise<string>;
  /** Runs vtysh without the log: independent of everything under test. */
  vtysh(...commands: readonly string[]): Promise<string>;
}

export interface RunningRouters {
  readonly available: true;
  readonly routers: readonly [RunningRouter, RunningRouter];
  namespaceOf(host: string): string;
  /** Throws if there is no such host. */
  act(act: HostAct, host: string): Promise<void>;
  stop(): Promise<void>;
}

type Routers = RunningRouters | { readonly available: false; readonly unavailable: string };

interface RoutersOptions {
  /** A private folder; keys and configurations in it are kept. */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

const username = 'netops';
const programs = ['/usr/lib/frr/zebra', '/usr/lib/frr/bgpd', '/usr/bin/vtysh', '/usr/sbin/nft', ...deviceNeeds];
const definition = join(import.meta.dirname, '..', 'device', 'frr.sh');
/** The user and group of FRR on the routers (device/frr.sh). */
const frrId = 110;
/** Interval of saving: changes since then are lost if the machine crashes. */
const saveIntervalMs = 5_000;

/** Returns the reason why they can't run here. Undefined if they can. */
function routersObstacle(): Promise<string | undefined> {
  return namespaceObstacle(programs);
}

/** Starts them, or returns the reason why they can't. Throws only if it should have worked and did not. */
export async function startRouters(options: RoutersOptions): Promise<Routers> {
  const obstacle = await routersObstacle();
  if (obstacle !== undefined) return { available: false, unavailable: obstacle };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.folder);
  const network = networkIn(folder);
  await network.end();
  const state = await readState(folder);
  let plan: readonly [RouterPlan, RouterPlan];
  try {
    plan = await network.layOut(state, options.signal);
  } catch (error) {
    await network.end();
    options.signal.throwIfAborted();
    return { available: false, unavailable: `network namespaces can't be made here (${String(error)})` };
  }
  await writeState(folder, plan);
  const started: Router[] = [];
  try {
    for (const each of plan) {
      const router = await Router.prepare(join(folder, each.name), each, network.namespace(each.name), options);
      started.push(router);
      options.log.info(`starting ${each.name}`);
      const refused = await router.start();
      if (refused !== undefined) {
        for (const one of started) await one.stop();
        await network.end();
        return { available: false, unavailable: `a router can't be shut off from this machine here (${refused})` };
      }
    }
  } catch (error) {
    for (const one of started) await one.stop();
    await network.end();
    throw error;
  }
  const [first, second] = started as [Router, Router];
  return {
    available: true,
    routers: [first.described, second.described],
    namespaceOf: (host) => network.namespace(host),
    async act(act, host) {
      const router = started.find(({ plan: of }) => of.name === host);
      const isKnown = router !== undefined || plan.some((each) => each.host.name === host);
      if (!isKnown) throw new Error(`there is no host ${host}: see "tidegate lab hosts"`);
      if (act === 'kill') {
        if (router === undefined) throw new Error(`nothing runs on ${host} that could be killed`);
        return router.kill();
      }
      await setCut(network.namespace(host), act === 'unplug');
      if (act === 'plug') await router?.start();
    },
    async stop() {
      for (const router of started) await router.stop();
      await network.end();
    },
  };
}

/** Removes the remains of routers in this folder whose owner was killed. */
export async function endLeftRouters(folder: string): Promise<void> {
  await networkIn(await realpath(folder)).end();
}

function networkIn(folder: string): RoutersNetwork {
  return new RoutersNetwork(createHash('sha256').update(folder).digest('hex').slice(0, 6));
}

class Router {
  readonly plan: RouterPlan;
  readonly described: RunningRouter;
  readonly #options: RoutersOptions;
  readonly #folder: string;
  readonly #namespace: string;
  readonly #timer: NodeJS.Timeout;
  #device: ServerProcess | undefined;
  #seen = '';
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    folder: string,
    plan: RouterPlan,
    namespace: string,
    dependencies: { readonly options: RoutersOptions; readonly keys: LabKeys; readonly faults: DeviceFaults },
  ) {
    this.plan = plan;
    this.#options = dependencies.options;
    this.#folder = folder;
    this.#namespace = namespace;
    this.described = {
      ...{ plan, host: plan.address, port: devicePort, username, namespace, ...dependencies.keys },
      ...{ deviceLogPath: deviceLogPath(folder), faults: dependencies.faults },
      insidePid: () => this.#insidePid(),
      vtysh: (...commands) => this.#vtysh(commands),
    };
    this.#timer = setInterval(() => void this.#saveIfUsed(), saveIntervalMs);
    this.#timer.unref();
  }

  /** Prepares its folder, with an initial configuration if it has none. */
  static async prepare(folder: string, plan: RouterPlan, namespace: string, options: RoutersOptions): Promise<Router> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const keys = await ensureKeys(join(folder, 'keys'));
    const faults = await deviceFaults(folder);
    const etc = join(folder, 'device', 'frr');
    await mkdir(etc, { recursive: true, mode: 0o755 });
    await chown(etc, frrId, frrId);
    await writeFile(join(etc, 'vtysh.conf'), 'service integrated-vtysh-config\n');
    if (!(await pathExists(join(etc, 'frr.conf')))) await writeFile(join(etc, 'frr.conf'), firstConfiguration(plan));
    return new Router(folder, plan, namespace, { options, keys, faults });
  }

  /** Returns the reason why it can't run here. */
  async start(): Promise<string | undefined> {
    if (this.#device !== undefined) return undefined;
    const { log, signal } = this.#options;
    const device = await startDevice({
      ...{ name: `The lab's ${this.plan.name}`, device: definition, folder: this.#folder },
      ...{ namespace: this.#namespace, address: this.plan.address, log, signal },
    });
    if (typeof device === 'string') return device;
    this.#device = device;
    return undefined;
  }

  /** Like a power failure: unsaved configuration is lost. */
  async kill(): Promise<void> {
    const device = this.#device;
    this.#device = undefined;
    await device?.stop();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
    await this.#save();
    await this.kill();
  }

  #saveIfUsed(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      const { mtimeMs, size } = await stat(deviceLogPath(this.#folder)).catch(() => ({ mtimeMs: 0, size: 0 }));
      const now = `${mtimeMs} ${size}`;
      if (size === 0 || now === this.#seen) return;
      this.#seen = now;
      await this.#save();
    });
    return this.#saving;
  }

  async #save(): Promise<void> {
    if (this.#device === undefined) return;
    await this.#vtysh(['write memory']).catch((error: unknown) =>
      this.#options.log.warn(`The configuration of the lab's ${this.plan.name} is not kept: ${String(error)}`),
    );
  }

  /** Process id of sshd, the only child of the started program. */
  async #insidePid(): Promise<string> {
    const pid = this.#device?.pid;
    const inside = pid === undefined ? '' : (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
    if (!/^\d+$/.test(inside)) throw new Error(`${this.plan.name} is not running`);
    return inside;
  }

  async #vtysh(commands: readonly string[]): Promise<string> {
    const inside = await this.#insidePid();
    const words = commands.flatMap((command) => ['-c', command]);
    const result = await runProgram('nsenter', [
      ...['--target', inside, '--mount', '--net', '--pid', '--ipc', '--root', '--wd=/', '--', '/run/real/vtysh'],
      ...words,
    ]);
    if (result.exitCode !== 0) throw new Error(`vtysh: ${result.stderr}${result.stdout}`.trim());
    return result.stdout;
  }
}

/** The initial configuration: its own networks, and BGP without neighbours. */
function firstConfiguration({ asNumber, block, block6 }: RouterPlan): string {
  return `frr defaults traditional
router bgp ${asNumber}
 no bgp ebgp-requires-policy
 address-family ipv4 unicast
  network ${block}
 exit-address-family
 address-family ipv6 unicast
  network ${block6}
 exit-address-family
exit
`;
}

async function readState(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, 'state.json'), 'utf8').catch(() => '{}');
  try {
    const { block } = JSON.parse(text) as { readonly block?: unknown };
    return Number.isInteger(block) && Number(block) >= 0 && Number(block) < 256 ? Number(block) : undefined;
  } catch {
    return undefined;
  }
}

async function writeState(folder: string, [{ address }]: readonly [RouterPlan, RouterPlan]): Promise<void> {
  const path = join(folder, 'state.json');
  await writeFile(`${path}.new`, JSON.stringify({ block: Number(address.split('.')[2]) }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
