// The process that serves clients on a host. It notes itself in a file for the agent on the same host.

import { rename, stat, writeFile } from 'node:fs/promises';
import { processMark } from '../embedded/process-mark.ts';
import { markIn } from './mark-file.ts';

/** Called at each start, for `signalServed`. */
export async function noteServed(file: string): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(processMark(process.pid)), { mode: 0o644 });
  await rename(`${file}.new`, file);
}

/**
 * False if no such process runs. The file can't be used to signal another process, or a process of a user other than the owner of the file.
 */
export async function signalServed(file: string, signal: NodeJS.Signals): Promise<boolean> {
  const mark = await markIn(file);
  const now = mark === undefined ? undefined : processMark(mark.pid);
  if (mark === undefined || now?.startTicks !== mark.startTicks || now.bootId !== mark.bootId) return false;
  const [owner, user] = await Promise.all([stat(file), stat(`/proc/${mark.pid}`)]);
  if (owner.uid !== user.uid) return false;
  process.kill(mark.pid, signal);
  return true;
}
