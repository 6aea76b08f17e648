// The lab of one start: its devices, their backends, and the addresses that calls may reach because of them. Additions and removals are stored in the
// data folder for the next start.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../embedded/setup-error.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { KnownListeners } from '../../platform/net/egress.ts';
import type { Address } from '../../platform/net/origin.ts';
import {
  backendsOf,
  type DescribedDevice,
  type DeviceBackend,
  type DeviceHost,
  type DeviceName,
  deviceNames,
  type HostAct,
  isDeviceName,
  type Trouble,
} from '../device.ts';
import { devices, runsAsRoot } from '../devices.ts';
import { plainLabFolder } from '../folders.ts';
import { InOrder } from '../in-order.ts';
import { LabHere, type LabSource } from '../lab-source.ts';
import { type RemoteLab, spawnLabServer } from '../remote-lab.ts';
import { backendName, LabBackends, type LabBackendsOptions } from './backends.ts';
import type { DeviceSetup } from './device-setup.ts';

const defaultDevices: readonly DeviceName[] = ['firewall'];

type DeviceState = 'STOPPED' | 'STARTING' | 'RUNNING' | 'UNAVAILABLE';

export interface DeviceRow {
  readonly part: DeviceName;
  readonly state: DeviceState;
  readonly backend: string | null;
  readonly driver: string | null;
  readonly address: string | null;
  readonly trouble: Trouble;
  /** Its description, or the reason why it can't start. */
  readonly note: string;
}

export interface HostRow extends DeviceHost {
  /** `ha`: the high-availability demo. */
  readonly part: DeviceName | 'ha';
  /** State after the last act. In the demo: all acts that were not undone, separated by spaces. */
  readonly state: string;
}

/** Requirements of devices towards the control plane. */
interface LabServing extends LabBackendsOptions {
  readonly setups: Readonly<Partial<Record<DeviceName, DeviceSetup>>>;
}

interface Device {
  readonly state: DeviceState;
  readonly described?: DescribedDevice;
  readonly why?: string;
  readonly trouble?: Trouble;
  /** State of each host, by name. */
  readonly hosts?: ReadonlyMap<string, HostRow['state']>;
}

const stateAfter = { unplug: 'UNPLUGGED', plug: 'UP', kill: 'KILLED' } as const;

interface LabOptions {
  readonly dataPath: string;
  /** Undefined for the devices of the last start. At the first start only the firewall. */
  readonly asked: readonly DeviceName[] | undefined;
  /** Source of the devices that need root. Default: this process. */
  readonly rootSource?: LabSource | undefined;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

/** A request that can't be carried out, in words for the person who made it. */
export class LabRefusal extends Error {
  override readonly name = 'LabRefusal';
}

/** Keyed by name. */
function backendsIn(
  device: DeviceName,
  { backend, backends = {} }: DescribedDevice,
): readonly (readonly [string, DeviceBackend])[] {
  return backend === undefined ? Object.entries(backends) : [[device, backend]];
}

function joined(words: readonly string[]): string | null {
  return words.length === 0 ? null : words.join(', ');
}

export class Lab {
  /** Addresses of its devices, for the egress policy. */
  readonly places = new KnownListeners();
  readonly #options: LabOptions;
  readonly #rootSource: LabSource;
  readonly #devices = new Map<DeviceName, Device>();
  readonly #order = new InOrder<DeviceName | 'file'>();
  #plain: RemoteLab | undefined;
  #backends: LabBackends | undefined;
  #serving: LabServing | undefined;
  #remembered: readonly DeviceName[];

  private constructor(options: LabOptions, remembered: readonly DeviceName[]) {
    this.#options = options;
    this.#remembered = remembered;
    this.#rootSource = options.rootSource ?? new LabHere(options.dataPath, options.signal);
  }

  static async open(options: LabOptions): Promise<Lab> {
    const lab = new Lab(options, options.asked ?? (await readRemembered(options.dataPath)) ?? defaultDevices);
    if (options.asked !== undefined) await lab.#remember((names) => names);
    return lab;
  }

  /** Starts the firewall, if the lab has one, while the databases start. Resolves when it runs or has failed. */
  async begin(): Promise<void> {
    if (this.#remembered.includes('firewall')) await this.#order.run('firewall', () => this.#start('firewall'));
  }

  /** Whether devices run or may run. Calls may then reach only these. */
  get hasDevices(): boolean {
    return this.#remembered.some((device) => this.#devices.get(device)?.state !== 'UNAVAILABLE');
  }

  /** Starts the other devices one by one, so that they do not overload the machine, and registers all. Resolves when each runs or has failed. */
  async serve(options: LabServing): Promise<void> {
    this.#serving = options;
    this.#backends = new LabBackends(options);
    for (const device of this.#remembered)
      if (!this.#devices.has(device)) this.#devices.set(device, { state: 'STARTING' });
    for (const device of this.#remembered) {
      if (this.#options.signal.aborted || !this.#remembered.includes(device)) continue;
      await this.#order.run(device, async () => {
        if (this.#devices.get(device)?.state === 'STARTING') await this.#start(device);
        await this.#register(device).catch((error: unknown) => this.#failed(device, error));
      });
    }
  }

  described(device: DeviceName): DescribedDevice | undefined {
    return this.#devices.get(device)?.described;
  }

  list(): readonly DeviceRow[] {
    return deviceNames.map((device) => {
      const { state, described, why, trouble = 'none' } = this.#devices.get(device) ?? { state: 'STOPPED' as const };
      const known = described === undefined ? [] : backendsIn(device, described);
      const driver = known[0]?.[1].driver ?? null;
      const address = joined(known.map(([, { host, port }]) => `${host}:${port}`)) ?? described?.inbox?.page ?? null;
      const backend = joined(known.map(([name]) => backendName(name)));
      return { part: device, state, backend, driver, address, trouble, note: why ?? devices[device].summary };
    });
  }

  hosts(): readonly HostRow[] {
    return [...this.#devices].flatMap(([device, { described, hosts }]) =>
      (described?.hosts ?? []).map((host) => ({ part: device, ...host, state: hosts?.get(host.name) ?? 'UP' })),
    );
  }

  /** `name`: a host, or a node of a load balancer. Throws LabRefusal if there is none. */
  async act(act: HostAct, name: string): Promise<void> {
    const running = [...this.#devices].filter(([, { state, described }]) => state === 'RUNNING' && described?.hosts);
    const isOf = ({ described }: Device) => described?.hosts?.some((host) => host.name === name) === true;
    // A name that is not a host's may be a load balancer node's.
    const [device] =
      running.find(([, each]) => isOf(each)) ?? running.find(([each]) => each === 'balancers') ?? running[0] ?? [];
    if (device === undefined)
      throw new LabRefusal('no part with hosts is running: tidegate lab add balancers, sites or clusters');
    await this.#order.run(device, async () => {
      await this.#sourceOf(device)
        .act(device, act, name)
        .catch((error: unknown) => {
          throw new LabRefusal(error instanceof Error ? error.message : String(error));
        });
      const now = this.#devices.get(device);
      if (now === undefined || !now.described?.hosts?.some((host) => host.name === name)) return;
      this.#devices.set(device, { ...now, hosts: new Map([...(now.hosts ?? []), [name, stateAfter[act]]]) });
    });
  }

  /** `onStep`: gets each step in words. Throws LabRefusal if it can't start. */
  async add(device: DeviceName, onStep: (step: string) => void = () => {}): Promise<void> {
    await this.#order.run(device, async () => {
      await this.#start(device, onStep);
      const { why } = this.#devices.get(device) ?? {};
      if (why !== undefined) {
        if (!this.#remembered.includes(device)) this.#devices.delete(device);
        throw new LabRefusal(`${device} can't start: ${why}`);
      }
      onStep('registering it in the graph, and waiting until it serves');
      await this.#register(device);
      await this.#remember((names) => [...names, device]);
    });
  }

  /** Deletes the backend first, so that a refusal changes nothing. */
  async remove(device: DeviceName, orphanMappings: boolean): Promise<void> {
    await this.#order.run(device, async () => {
      const refuse = (error: unknown): never => {
        throw new LabRefusal(error instanceof Error ? error.message : String(error));
      };
      for (const name of backendsOf(device)) await this.#backends?.delete(name, orphanMappings).catch(refuse);
      const setup = this.#serving?.setups[device];
      const leave = orphanMappings ? undefined : await setup?.removal().catch(refuse);
      await this.#sourceOf(device).remove(device);
      await (leave?.() ?? setup?.stop());
      this.#devices.delete(device);
      this.#showPlaces();
      await this.#remember((names) => names.filter((each) => each !== device));
    });
  }

  /** Stays until another trouble is set, or the device restarts. */
  async trouble(device: DeviceName, trouble: Trouble): Promise<void> {
    if (trouble !== 'none' && !devices[device].troubles.includes(trouble))
      throw new LabRefusal(`${device} can't have the trouble ${trouble}, only ${devices[device].troubles.join(', ')}`);
    await this.#order.run(device, async () => {
      const now = this.#devices.get(device);
      if (now?.state !== 'RUNNING') throw new LabRefusal(`${device} is not running: tidegate lab add ${device}`);
      await this.#sourceOf(device).trouble(device, trouble);
      this.#devices.set(device, { ...now, trouble });
    });
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#rootSource.stop(), this.#plain?.stop()]);
  }

  async #start(device: DeviceName, onStep: (step: string) => void = () => {}): Promise<void> {
    if (this.#devices.get(device)?.state === 'RUNNING') return;
    this.#devices.set(device, { state: 'STARTING' });
    try {
      const setup = this.#serving?.setups[device];
      if (setup !== undefined) onStep('making its credentials and its ports of the control plane');
      await setup?.prepare();
      const answer = await this.#sourceOf(device).start(device, telling(this.#options.log, onStep));
      if (!answer.available) return this.#failed(device, answer.unavailable);
      this.#devices.set(device, { state: 'RUNNING', described: answer.part });
      this.#showPlaces();
    } catch (error) {
      this.#failed(device, error);
    }
  }

  async #register(device: DeviceName): Promise<void> {
    const described = this.#devices.get(device)?.described;
    if (described === undefined) return;
    for (const [name, backend] of backendsIn(device, described)) await this.#backends?.register(name, backend);
    await this.#serving?.setups[device]?.register?.(described);
  }

  #failed(device: DeviceName, reason: unknown): void {
    if (this.#options.signal.aborted) return;
    const why = reason instanceof Error ? reason.message : String(reason);
    this.#devices.set(device, { state: 'UNAVAILABLE', why: inShort(why) });
    this.#options.log.warn(`the lab's ${device} can't start: ${why}`);
  }

  #showPlaces(): void {
    const reached = [...this.#devices.values()].flatMap(({ described }) => described?.reaches ?? []);
    this.places.replace(reached.map(ruleOf));
  }

  #sourceOf(device: DeviceName): LabSource {
    return runsAsRoot(device, this.#hasRoot) ? this.#rootSource : this.#plainSource();
  }

  get #hasRoot(): boolean {
    return this.#options.rootSource !== undefined || process.getuid?.() === 0;
  }

  #plainSource(): LabSource {
    if (this.#plain !== undefined && !this.#plain.gone.aborted) return this.#plain;
    const plain = spawnLabServer(this.#options.dataPath);
    plain.gone.addEventListener('abort', () => {
      for (const [device, { state }] of this.#devices)
        if (!runsAsRoot(device, this.#hasRoot) && state !== 'UNAVAILABLE')
          this.#failed(device, 'the process that it ran in has ended');
      this.#showPlaces();
    });
    this.#plain = plain;
    return plain;
  }

  #remember(changed: (names: readonly DeviceName[]) => readonly DeviceName[]): Promise<void> {
    return this.#order.run('file', async () => {
      const names = changed(this.#remembered);
      this.#remembered = deviceNames.filter((each) => names.includes(each));
      const folder = join(this.#options.dataPath, plainLabFolder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, fileName);
      await writeFile(`${path}.new`, `${JSON.stringify(this.#remembered)}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }
}

/** Ends the lab of a killed process, whether or not a new lab starts. */
export async function endLeftOver(options: Omit<LabOptions, 'asked'>): Promise<void> {
  const { dataPath, signal, log, rootSource = new LabHere(dataPath, signal) } = options;
  for (const device of deviceNames.filter((name) => devices[name].loadLeftOver !== undefined))
    await rootSource
      .clear(device)
      .catch((error: unknown) =>
        log.warn(`what an earlier start left of the lab's ${device} could not be ended: ${String(error)}`),
      );
}

/** Forwards log messages of a starting device as steps to the waiting client. */
function telling(log: SetupLog, onStep: (step: string) => void): SetupLog {
  return {
    debug: (message) => log.debug(message),
    info(message) {
      log.info(message);
      onStep(message);
    },
    warn: (message) => log.warn(message),
    error: (message) => log.error(message),
  };
}

/** The first and the last line of a program's output. */
function inShort(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  return [...new Set([lines[0], lines.at(-1)])].join(' ').slice(0, 500);
}

const fileName = 'parts.json';

async function readRemembered(dataPath: string): Promise<readonly DeviceName[] | undefined> {
  try {
    const names = JSON.parse(await readFile(join(dataPath, plainLabFolder, fileName), 'utf8')) as unknown;
    return Array.isArray(names) ? names.filter((each) => typeof each === 'string').filter(isDeviceName) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function ruleOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
