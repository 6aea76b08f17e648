// The source of the lab's devices: this process, or a lab server at the other end of a pipe.

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../embedded/find-program.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import type { DeviceName, HostAct, LeftOver, RunningDevice, StartAnswer, Trouble } from './device.ts';
import { devices, runsAsRoot } from './devices.ts';
import { labFolder, plainLabFolder } from './folders.ts';
import { InOrder } from './in-order.ts';
import { removeAbandonedLab } from './lab.ts';
import { namesFile } from './names-file.ts';

export interface LabSource {
  /** Only describes the device if it is already running. Throws if it should have started and did not. */
  start(name: DeviceName, log: SetupLog): Promise<StartAnswer>;
  /** Throws if the device is not running. */
  trouble(name: DeviceName, trouble: Trouble): Promise<void>;
  /** Throws if the device is not running, or has no such host. */
  act(name: DeviceName, act: HostAct, host: string): Promise<void>;
  /** Ends leftovers of a killed process, unless the device is running. */
  clear(name: DeviceName): Promise<void>;
  /** Ends the device, and deletes its configuration and identity. */
  remove(name: DeviceName): Promise<void>;
  /** Ends all devices permanently. Those that are still starting give up. */
  stop(): Promise<void>;
}

export class LabHere implements LabSource {
  readonly #dataPath: string;
  readonly #signal: AbortSignal;
  readonly #running = new Map<DeviceName, RunningDevice>();
  readonly #order = new InOrder<DeviceName>();
  readonly #ending = new AbortController();

  /** `dataPath`: the data folder, in which only root can remove or rename root's files. */
  constructor(dataPath: string, signal: AbortSignal) {
    this.#dataPath = dataPath;
    this.#signal = AbortSignal.any([signal, this.#ending.signal]);
  }

  start(name: DeviceName, log: SetupLog): Promise<StartAnswer> {
    return this.#order.run(name, async () => {
      this.#ending.signal.throwIfAborted();
      const started = this.#running.get(name) ?? (await this.#begin(name, log));
      if (!started.available) return started;
      this.#running.set(name, started);
      const { backend, backends, hosts, inbox, reaches } = started;
      const device = {
        ...(backend === undefined ? {} : { backend }),
        ...(backends === undefined ? {} : { backends }),
        ...(hosts === undefined ? {} : { hosts }),
        ...(inbox === undefined ? {} : { inbox }),
        reaches,
      };
      return { available: true, part: device };
    });
  }

  trouble(name: DeviceName, trouble: Trouble): Promise<void> {
    return this.#order.run(name, async () => {
      const device = this.#running.get(name);
      if (device === undefined) throw new Error(`${name} is not running`);
      await device.trouble(trouble);
    });
  }

  act(name: DeviceName, act: HostAct, host: string): Promise<void> {
    return this.#order.run(name, async () => {
      const device = this.#running.get(name);
      if (device?.act === undefined) throw new Error(`${name} is not running`);
      await device.act(act, host);
    });
  }

  clear(name: DeviceName): Promise<void> {
    return this.#order.run(name, async () => {
      if (this.#running.has(name)) return;
      await this.#leftOver(name, (left, folder) => left.end(folder));
    });
  }

  remove(name: DeviceName): Promise<void> {
    return this.#order.run(name, async () => {
      await this.#end(name);
      await this.#leftOver(name, async (left, folder) => {
        await left.end(folder);
        await left.remove(folder);
      });
      await rm(this.#folderOf(name), { recursive: true, force: true });
      if (name === 'firewall') await rm(join(this.#dataPath, namesFile), { force: true });
    });
  }

  async stop(): Promise<void> {
    this.#ending.abort(new Error('the lab is being stopped'));
    await this.#order.idle();
    await Promise.all([...this.#running.keys()].map((name) => this.#end(name)));
  }

  async #begin(name: DeviceName, log: SetupLog) {
    if (name === 'firewall') await this.#adoptEarlierFirewall();
    const folder = this.#folderOf(name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const start = await devices[name].load();
    return start({ folder, log, signal: this.#signal });
  }

  async #leftOver(name: DeviceName, work: (left: LeftOver, folder: string) => Promise<void>): Promise<void> {
    const folder = this.#folderOf(name);
    const left = (await pathExists(folder)) ? await devices[name].loadLeftOver?.() : undefined;
    if (left !== undefined) await work(left, folder);
  }

  async #end(name: DeviceName): Promise<void> {
    const device = this.#running.get(name);
    this.#running.delete(name);
    await device?.stop();
  }

  #folderOf(name: DeviceName): string {
    return join(this.#dataPath, runsAsRoot(name, process.getuid?.() === 0) ? labFolder : plainLabFolder, name);
  }

  /** Earlier versions had only the firewall, directly in the lab's folder. */
  async #adoptEarlierFirewall(): Promise<void> {
    const lab = join(this.#dataPath, labFolder);
    if (!(await pathExists(join(lab, 'state.json')))) return;
    await removeAbandonedLab(lab);
    await mkdir(this.#folderOf('firewall'), { recursive: true, mode: 0o700 });
    for (const each of ['keys', 'device', 'mount', 'state.json']) {
      if (await pathExists(join(lab, each))) await rename(join(lab, each), join(this.#folderOf('firewall'), each));
    }
  }
}
