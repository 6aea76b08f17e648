// Starts a process that writes blobs until it is killed.
// needs: processes
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

interface Writer {
  readonly child: ChildProcess;
  /** IDs of the blobs that it reported as being on disk. */
  readonly acknowledged: readonly string[];
  /** Resolves once all of its output was read. */
  readonly over: Promise<unknown>;
}

/** `count`: the number of blobs that each of its eight workers writes. */
export async function startWriter(folder: string, count = Number.POSITIVE_INFINITY): Promise<Writer> {
  const program = join(import.meta.dirname, 'writing-process.ts');
  const child = spawn(process.execPath, [program, folder, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const acknowledged: string[] = [];
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => (line === 'ready' ? resolve() : acknowledged.push(line)));
  });
  const over = once(lines, 'close');
  await Promise.race([ready, over.then(() => Promise.reject(new Error('the writer ended')))]);
  return { child, acknowledged, over };
}
