// Places where an object can be saved.
import { realpath, stat } from 'node:fs/promises';
import { isMissing } from '../../../platform/secrets/key-file.ts';
import { CommandFailure } from '../../failures.ts';

/** The path to replace, after following links. Throws CommandFailure if the target is not a file, such as a folder or a device. */
export async function replaceable(file: string): Promise<string> {
  const found = await stat(file).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw new CommandFailure(`${file} can't be written: ${(error as NodeJS.ErrnoException).code}`);
  });
  if (found === undefined) return file;
  if (found.isDirectory()) throw new CommandFailure(`${file} is a folder: name a file in it`);
  if (!found.isFile()) throw new CommandFailure(`${file} is not a file: use - and redirect the standard output to it`);
  return realpath(file);
}
