// The mark of the one process that writes to the backups of an installation: who it is, and whether it still lives.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import { isAlive, type ProcessMark, processMark } from '../embedded/process-mark.ts';
import { fault } from './faults.ts';

const shape = z.object({ host: z.string(), pid: z.number(), startTicks: z.string(), bootId: z.string() });

/** No two are the same. */
export function ownWriterMark(): string {
  const own = processMark(process.pid);
  if (own === undefined) throw new Error('this process has no entry in /proc');
  return JSON.stringify({ host: hostname(), ...own, run: randomUUID() });
}

/** Throws BackupFaults. `text`: of the mark. */
export function refuseLivingWriter(text: string, shown: string, markShown: string): void {
  const writer = shape.safeParse(jsonOf(text)).data;
  // A process that was killed while it wrote the mark.
  if (writer === undefined) return;
  if (writer.host !== hostname())
    fault(`${writer.host} writes to ${shown}: wait for it or, if that host is gone, remove ${markShown}`);
  if (isAlive(writer satisfies ProcessMark))
    fault(`process ${writer.pid} writes to ${shown}: try again when it has ended`);
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
