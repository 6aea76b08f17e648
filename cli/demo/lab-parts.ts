// Parts of the lab that a demo needs. It adds missing ones, and removes them afterwards.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceName } from '../../lab/device.ts';
import { CommandFailure, exitCodes } from '../failures.ts';
import { askLab } from '../lab-client.ts';
import type { Place } from './act.ts';
import { runCommand } from './commands.ts';
import { messageOf } from './stage.ts';

/** The given parts that are not running. Throws CommandFailure. */
export async function missingParts(
  data: string,
  parts: readonly DeviceName[],
  signal: AbortSignal,
): Promise<readonly DeviceName[]> {
  const rows = await askLab(data, { do: 'list' }, signal);
  return parts.filter((part) => rows.find((row) => row.part === part)?.state !== 'RUNNING');
}

export async function addPart({ stage, data, told, installs, keepsLab }: Place, part: DeviceName): Promise<void> {
  const words = ['lab', 'add', part, '--data', data, ...(installs ? [] : ['--no-install'])];
  await stage.command(`bin/tidegate ${words.slice(0, 3).join(' ')}`);
  if (keepsLab) stage.leave(`the lab's part ${part} (bin/tidegate lab remove ${part})`);
  // Before it is complete, because an interrupted request may have begun.
  else
    stage.undo(`bin/tidegate lab remove ${part}`, async () => {
      try {
        await askLab(data, { do: 'remove', part, orphanMappings: false }, new AbortController().signal);
        return undefined;
      } catch (error) {
        return `the lab's part ${part} (bin/tidegate lab remove ${part}): ${messageOf(error)}`;
      }
    });
  await stage.step(`adding the lab's part ${part}`, () => runCommand(words, { signal: stage.signal, told }));
}

/** The addresses of a part in the form for shells: NAME=VALUE. Throws CommandFailure. */
export async function addressesOf(data: string, part: DeviceName): Promise<(name: string) => string> {
  const path = join(data, `${part}.env`);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new CommandFailure(`${path} can't be read: is the lab's part ${part} running?`, exitCodes.failed);
  });
  const lines = text.split('\n').map((line) => /^([A-Z0-9_]+)=(.*)$/.exec(line));
  const values = new Map(lines.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const])));
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new CommandFailure(`${path} has no ${name}`);
    return value;
  };
}
