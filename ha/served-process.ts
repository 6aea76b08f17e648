// The process that serves clients on a host. It notes itself in a file for the agent on the same host.

import { rename, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type ProcessMark, processMark } from '../embedded/process-mark.ts';
import { keptIn, markShape } from './mark-file.ts';

/** Absent if the process is of an earlier version, or expects the PROXY protocol. */
const servedShape = markShape.extend({ url: z.url().optional() });
type ServedProcess = z.output<typeof servedShape>;

/** Called at each start, for `signalServed` and the agent's look at the API. `url`: where this host reaches it. */
export async function noteServed(file: string, url?: string): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify({ ...processMark(process.pid), url }), { mode: 0o644 });
  await rename(`${file}.new`, file);
}

/** Undefined if no process has noted itself. */
export function readServed(file: string): Promise<ServedProcess | undefined> {
  return keptIn(file, servedShape);
}

/** Whether it is still the process that noted itself. */
export function runs({ pid, startTicks, bootId }: ProcessMark): boolean {
  const now = processMark(pid);
  return now?.startTicks === startTicks && now.bootId === bootId;
}

/**
 * False if no such process runs. The file can't be used to signal another process, or a process of a user other than the owner of the file.
 */
export async function signalServed(file: string, signal: NodeJS.Signals): Promise<boolean> {
  const mark = await readServed(file);
  if (mark === undefined || !runs(mark)) return false;
  const [owner, user] = await Promise.all([stat(file), stat(`/proc/${mark.pid}`)]);
  if (owner.uid !== user.uid) return false;
  process.kill(mark.pid, signal);
  return true;
}
