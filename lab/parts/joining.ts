// Parts whose machines join the control plane: they start where it gave them a place, and have hosts.
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import type { GivenFile } from '../given-file.ts';
import type { LeftOver, PartOptions, RunningPart, StartPart } from '../part.ts';

interface Joining extends Pick<RunningPart, 'reaches' | 'stop'>, Required<Pick<RunningPart, 'hosts' | 'act'>> {
  start(): Promise<void>;
}

interface JoiningPart<Given extends object> {
  readonly programs: readonly string[];
  /** What it needs as root beside these. */
  readonly rootPrograms?: readonly string[];
  readonly given: GivenFile<Given>;
  readonly make: (options: PartOptions & { readonly given: Given }) => Joining;
}

export function startJoining<Given extends object>(part: JoiningPart<Given>): StartPart {
  return async (options) => {
    const { programs, rootPrograms = [], given: file, make } = part;
    const isRoot = process.getuid?.() === 0;
    for (const path of [...programs, ...(isRoot ? rootPrograms : [])])
      if (!(await pathExists(path))) return { available: false, unavailable: `${path} is missing` };
    // The part's folder is in the lab's, which is in the data folder.
    const given = await file.read(dirname(dirname(options.folder)));
    if (given === undefined)
      return { available: false, unavailable: 'the control plane gave it no place to join: only "npm start" has it' };
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

/** Both take the part's folder as it is on disk. `remove`: absent: nothing is outside of it. */
export function leftOfJoining({ end, remove }: Pick<LeftOver, 'end'> & Partial<LeftOver>): LeftOver {
  return {
    end: async (folder) => end(await realpath(folder)),
    remove: async (folder) => remove?.(await realpath(folder)),
  };
}
