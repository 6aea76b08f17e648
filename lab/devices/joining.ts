// Devices whose machines join the control plane: they start when it has given them addresses and credentials, and have hosts.
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import type { DeviceOptions, LeftOver, RunningDevice, StartDevice } from '../device.ts';
import type { GivenFile } from '../given-file.ts';

interface Joining extends Pick<RunningDevice, 'reaches' | 'stop'>, Required<Pick<RunningDevice, 'hosts' | 'act'>> {
  start(): Promise<void>;
}

interface JoiningDevice<Given extends object> {
  readonly programs: readonly string[];
  /** Additional programs that it needs as root. */
  readonly rootPrograms?: readonly string[];
  readonly given: GivenFile<Given>;
  readonly make: (options: DeviceOptions & { readonly given: Given }) => Joining;
}

export function startJoining<Given extends object>(device: JoiningDevice<Given>): StartDevice {
  return async (options) => {
    const { programs, rootPrograms = [], given: file, make } = device;
    const isRoot = process.getuid?.() === 0;
    for (const path of [...programs, ...(isRoot ? rootPrograms : [])])
      if (!(await pathExists(path))) return { available: false, unavailable: `${path} is missing` };
    // The device's folder is in the lab's, which is in the data folder.
    const given = await file.read(dirname(dirname(options.folder)));
    if (given === undefined)
      return {
        available: false,
        unavailable: 'the control plane gave it no credentials to join: only "npm start" does',
      };
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const running = make({ ...options, folder: await realpath(options.folder), given });
    try {
      await running.start();
    } catch (error) {
      await running.stop();
      throw error;
    }
    return {
      available: true,
      hosts: running.hosts,
      reaches: running.reaches,
      trouble: async () => undefined,
      act: (act, host) => running.act(act, host),
      stop: () => running.stop(),
    };
  };
}

/** Both use the device's folder on disk. `remove` is absent if nothing exists outside it. */
export function leftOfJoining({ end, remove }: Pick<LeftOver, 'end'> & Partial<LeftOver>): LeftOver {
  return {
    end: async (folder) => end(await realpath(folder)),
    remove: async (folder) => remove?.(await realpath(folder)),
  };
}
