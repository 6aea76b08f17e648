// Reads a verb's input from a file, or from standard input.

import { CommandFailure, Interruption, UsageError } from './failures.ts';
import { readBounded } from './secrets.ts';
import type { Surroundings } from './verb.ts';

const largestBytes = 4 * 1024 * 1024;

/** `-` is standard input. Throws CommandFailure. */
export async function readInput(
  path: string,
  { stdin, signal }: Pick<Surroundings, 'stdin' | 'signal'>,
  mostBytes: number = largestBytes,
): Promise<string> {
  if (path !== '-') {
    const read = await readBounded(path, mostBytes);
    if (!read.ok) throw new CommandFailure(read.message);
    return read.value;
  }
  if (stdin === undefined) throw new UsageError('there is no standard input here: name a file');
  const parts: Buffer[] = [];
  let size = 0;
  const input = stdin();
  const end = () => input.destroy(new Interruption());
  signal.addEventListener('abort', end, { once: true });
  try {
    for await (const part of input) {
      const bytes = Buffer.from(part as Buffer | string);
      size += bytes.length;
      if (size > mostBytes) throw new CommandFailure(`standard input is larger than ${mostBytes} bytes`);
      parts.push(bytes);
    }
  } finally {
    signal.removeEventListener('abort', end);
  }
  return Buffer.concat(parts).toString('utf8');
}
