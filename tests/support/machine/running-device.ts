// A lab device for one test: any program behind a real sshd in its own network namespace, with its log and faults.
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { silentLog } from '../../../embedded/setup-log.ts';
import type { DeviceFaults } from '../../../lab/device-faults.ts';
import { readDeviceLog } from '../../../lab/device-log.ts';
import { type LoneDevice, startLoneDevice } from '../../../lab/lone-device.ts';
import { labFolder } from './lab-folders.ts';

export class RunningDevice {
  readonly place: LoneDevice & { readonly username: string };
  readonly #folder: string;

  private constructor(place: RunningDevice['place'], folder: string) {
    this.place = place;
    this.#folder = folder;
  }

  /** `file`: the path of the device's file (lab/device/start.sh). */
  static async start(file: string, username: string): Promise<RunningDevice> {
    const folder = await labFolder();
    const device = resolve(file);
    try {
      const started = await startLoneDevice({ name: `The device ${device}`, device, folder, log: silentLog });
      if (!started.available) throw new Error(started.unavailable);
      return new RunningDevice({ ...started, username }, folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get namespace(): string {
    return this.place.namespace;
  }

  get faults(): DeviceFaults {
    return this.place.faults;
  }

  log() {
    return readDeviceLog(this.place.deviceLogPath);
  }

  async stop(): Promise<void> {
    await this.place.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
