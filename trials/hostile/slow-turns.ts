// The log of the watch in each process: turns of its event loop that used too much CPU time.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The CPU time for which a refusal may block the event loop. */
export const slowTurnMs = 50;

export interface SlowTurn {
  /** By this machine's clock. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly cpuMs: number;
}

/** Environment variables of a process that load the watch into it. */
export function watchEnvironment(folder: string, name: string): Readonly<Record<string, string>> {
  const watch = new URL('./loop-watch.ts', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${watch}`, LOOP_WATCH_FILE: fileOf(folder, name) };
}

/** Throws if the watch of a process logged nothing at all, because loading a program alone takes longer than allowed. */
export async function readSlowTurns(folder: string, names: readonly string[]): Promise<readonly SlowTurn[]> {
  const texts = await Promise.all(
    names.map((name) =>
      readFile(fileOf(folder, name), 'utf8').catch(() => {
        throw new Error(`the watch of ${name} saw nothing, not even the start of its program`);
      }),
    ),
  );
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line) as SlowTurn);
}

function fileOf(folder: string, name: string): string {
  return join(folder, `${name}.turns`);
}
