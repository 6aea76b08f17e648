// A command that runs during a load. It begins a while after the first writes, and the load continues for a while after it.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure } from '../../../failures.ts';
import type { Output } from '../../../verb.ts';
import type { Tally } from './tally.ts';

const beforeMs = 3_000;
const afterMs = 5_000;
/** Time until writes flow again after the command. */
const lateMs = 120_000;
const flowMs = 1_000;

/** Acknowledged writes before, during and after the command. */
export interface Phases {
  readonly before: number;
  readonly during: number;
  readonly after: number;
  readonly commandMs: number;
  readonly exitCode: number;
}

interface BesideOptions {
  readonly command: readonly string[];
  readonly tally: Pick<Tally, 'acknowledged'>;
  readonly signal: AbortSignal;
  /** For the command's output. */
  readonly output: Output;
}

/** Resolves when the load may end. Undefined if the signal came before the command. Throws CommandFailure if it can't be started. */
export async function runBeside({ command, tally, signal, output }: BesideOptions): Promise<() => Phases | undefined> {
  const count = () => tally.acknowledged.length;
  await sleep(beforeMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return () => undefined;
  const before = count();
  const begunAtMs = performance.now();
  const exitCode = await exitOf(command, signal, output);
  const commandMs = Math.round(performance.now() - begunAtMs);
  const atEnd = count();
  const endsAtMs = performance.now() + lateMs;
  await sleep(afterMs, undefined, { signal }).catch(() => undefined);
  for (let isFlowing = false; !isFlowing && performance.now() < endsAtMs && !signal.aborted; ) {
    const seen = count();
    await sleep(flowMs, undefined, { signal }).catch(() => undefined);
    isFlowing = count() > seen;
  }
  return () => ({ before, during: atEnd - before, after: count() - atEnd, commandMs, exitCode });
}

function exitOf([command = '', ...words]: readonly string[], signal: AbortSignal, output: Output): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => output.write(text));
    const pass = () => child.kill('SIGTERM');
    signal.addEventListener('abort', pass, { once: true });
    child.once('error', (error) => reject(new CommandFailure(`${command} can't be started: ${error.message}`)));
    child.once('close', (code) => {
      signal.removeEventListener('abort', pass);
      resolve(code ?? 1);
    });
  });
}
