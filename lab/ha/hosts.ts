// The machines of the demo while it runs: their network, their disks, and actions on them. `plug` reverts everything. Leftovers of a killed
// start are ended first.

import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { pathExists } from '../../embedded/find-program.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { writeWhole } from '../../platform/secrets/key-file.ts';
import { type Claim, ownClaims } from '../claims/claims.ts';
import { foldersOf, idOf } from '../device-place.ts';
import { LoopDisk, thaw, unmountAll } from '../loop-disk.ts';
import { HaHost, type HaHostOptions, type ProgramName } from './host.ts';
import { hostLog } from './host-log.ts';
import { HaNetwork } from './network.ts';
import { controlSocketOf, mountsOf } from './places.ts';
import { type HostFault, type HostName, hostNames, type Plan } from './plan.ts';

type HostCondition = 'UNPLUGGED' | 'KILLED' | 'FROZEN' | 'DISK_FULL' | 'DISK_FROZEN' | `CUT_FROM_${string}` | 'SKEWED';

const conditions: Readonly<Record<'unplug' | 'kill' | HostFault, HostCondition>> = {
  unplug: 'UNPLUGGED',
  kill: 'KILLED',
  freeze: 'FROZEN',
  'fill-disk': 'DISK_FULL',
  'freeze-disk': 'DISK_FROZEN',
};

interface HaHostsOptions {
  /** Folder of the demo: only root can enter it. */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
  readonly programs: (
    host: HaHost,
    ...asked: Parameters<HaHostOptions['programs']>
  ) => ReturnType<HaHostOptions['programs']>;
}

const programsAt: Readonly<Record<HostName, readonly ProgramName[]>> = {
  a: ['agent', 'serve'],
  b: ['agent', 'serve'],
  w: ['agent'],
};
const logFolder = 'logs';
const stateFile = 'state.json';

export class HaHosts {
  readonly plan: Plan;
  /** The hosts have been a cluster since an earlier start. */
  readonly isSetUp: boolean;
  readonly #options: HaHostsOptions;
  readonly #network: HaNetwork;
  readonly #hosts: ReadonlyMap<HostName, HaHost>;
  readonly #conditions = new Map<HostName, Set<HostCondition>>();

  private constructor(options: HaHostsOptions, network: HaNetwork, plan: Plan, isSetUp: boolean) {
    this.isSetUp = isSetUp;
    this.#options = options;
    this.#network = network;
    this.plan = plan;
    this.#hosts = new Map(hostNames.map((name) => [name, this.#newHost(name)]));
  }

  /** Uses the disks of an earlier start if the hosts were a cluster. Nothing runs on them yet. */
  static async open(options: HaHostsOptions): Promise<HaHosts> {
    const { folder, signal } = options;
    await ownClaims.claim(...claimsOf(folder));
    await endLeftOver(folder);
    await mkdir(join(folder, logFolder), { recursive: true, mode: 0o700 });
    const before = await readState(folder);
    const kept = before?.isSetUp === true ? before.third : undefined;
    const network = new HaNetwork(idOf(folder));
    try {
      const plan = await network.layOut(kept, signal);
      const hosts = new HaHosts(options, network, plan, kept !== undefined);
      await hosts.#note(kept !== undefined);
      if (kept === undefined) for (const name of hostNames) await hosts.host(name).disk.remove();
      for (const name of hostNames) await hosts.host(name).disk.mount();
      return hosts;
    } catch (error) {
      await endRunning(folder);
      ownClaims.release(...claimsOf(folder));
      throw error;
    }
  }

  host(name: HostName): HaHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  namespace(name: HostName): string {
    return this.#network.namespace(name);
  }

  /** The command prefix that enters the network of a host. */
  entering(name: HostName): readonly string[] {
    return this.#network.entering(name);
  }

  /** The hosts are a cluster: the next start continues with it. Before that, it starts from scratch. */
  async setUpDone(): Promise<void> {
    await this.#note(true);
  }

  conditionsOf(name: HostName): readonly HostCondition[] {
    return [...(this.#conditions.get(name) ?? [])];
  }

  async fault(fault: keyof typeof conditions, name: HostName): Promise<void> {
    const host = this.host(name);
    if (fault === 'unplug') await this.#network.plug(name, false);
    if (fault === 'kill') await host.powerOff();
    if (fault === 'freeze') await host.freeze();
    if (fault === 'fill-disk') await host.disk.fill();
    if (fault === 'freeze-disk') await host.disk.freeze();
    this.#add(name, conditions[fault]);
  }

  async cut(one: HostName, other: HostName): Promise<void> {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      await this.#network.cut(from, to, this.plan, true);
      this.#add(from, `CUT_FROM_${to.toUpperCase()}`);
    }
  }

  /** Sets its clock ahead by this much, or behind. */
  async skew(name: HostName, seconds: number): Promise<void> {
    if (this.conditionsOf(name).some((each) => each === 'KILLED' || each === 'FROZEN'))
      throw new Error(`${name} is not running: plug it first`);
    await this.host(name).setSkew(seconds);
    if (seconds === 0) this.#conditions.get(name)?.delete('SKEWED');
    else this.#add(name, 'SKEWED');
  }

  /** Reverts everything that was done to it. */
  async plug(name: HostName): Promise<void> {
    const host = this.host(name);
    const was = new Set(this.conditionsOf(name));
    await host.disk.thaw();
    await host.disk.free();
    await host.resume();
    for (const other of hostNames.filter((each) => each !== name)) {
      await this.#network.cut(name, other, this.plan, false);
      await this.#network.cut(other, name, this.plan, false);
      this.#conditions.get(other)?.delete(`CUT_FROM_${name.toUpperCase()}`);
    }
    await this.#network.plug(name, true);
    await host.setSkew(0);
    if (was.has('KILLED')) await host.begin(programsAt[name]);
    this.#conditions.delete(name);
  }

  /** Closes all hosts; a second call does nothing. */
  async close(): Promise<void> {
    for (const name of hostNames) {
      await this.host(name).disk.thaw();
      await this.host(name).disk.free();
      await this.host(name).resume();
    }
    // Requests end first, then the cluster.
    await Promise.all(hostNames.map((name) => this.host(name).stop(['serve'])));
    await Promise.all(hostNames.map((name) => this.host(name).stop()));
    await endRunning(this.#options.folder);
    ownClaims.release(...claimsOf(this.#options.folder));
  }

  #newHost(name: HostName): HaHost {
    const { folder, log, programs } = this.#options;
    const disk = new LoopDisk({ image: join(folder, `${name}.img`), folder: join(mountsOf(folder), name) });
    const host: HaHost = new HaHost({
      ...{ name, disk, namespace: this.namespace(name), wrapper: this.entering(name) },
      programs: (...asked) => programs(host, ...asked),
      log: hostLog(join(folder, logFolder, `${name}.log`), log),
    });
    return host;
  }

  #add(name: HostName, condition: HostCondition): void {
    this.#conditions.set(name, new Set([...this.conditionsOf(name), condition]));
  }

  /** Writes the same file as for a device (device-place.ts), with a mark if the hosts are a cluster. */
  async #note(isDone: boolean): Promise<void> {
    const { folder } = this.#options;
    const third = Number(this.plan.net.split('.')[2]);
    await writeWhole(join(folder, stateFile), `${JSON.stringify({ folder, third, isSetUp: isDone })}\n`);
  }
}

/** Ends leftovers of a killed start, here or where the folder was before. */
export async function endLeftOver(folder: string): Promise<void> {
  for (const each of await foldersOf(folder)) await endRunning(each);
}

async function endRunning(folder: string): Promise<void> {
  const mounts = mountsOf(folder);
  const names = (await readdir(mounts).catch(() => [])).map((name) => join(mounts, name));
  // A process that waits for a frozen disk does not die before it is thawed.
  for (const each of names) await thaw(each);
  await new HaNetwork(idOf(folder)).end();
  for (const each of names) await unmountAll(each);
  await rmdir(mounts).catch(() => undefined);
}

function claimsOf(folder: string): readonly Claim[] {
  return [
    { kind: 'mounts', what: mountsOf(folder) },
    ...hostNames.map((name) => ({ kind: 'mounts', what: join(mountsOf(folder), name) }) as const),
    { kind: 'path', what: controlSocketOf(folder) },
  ];
}

const state = z.object({ folder: z.string(), third: z.number().int().min(0).max(255), isSetUp: z.boolean() });

/** Undefined if it was never started. Throws if the file is damaged: that is no reason to start from scratch, because the disks have data. */
async function readState(folder: string): Promise<z.output<typeof state> | undefined> {
  const path = join(folder, stateFile);
  if (!(await pathExists(path))) return undefined;
  try {
    return state.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new Error(`${path} can't be read (${String(error)}): remove ${folder} to start from scratch`);
  }
}
