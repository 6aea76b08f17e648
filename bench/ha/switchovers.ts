// Requests through the virtual address during repeated planned switchovers.
// needs: iproute2
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import type { PlaceName } from '../../trials/ha/network.ts';
import { dataHosts, until } from '../../trials/ha/pair.ts';
import { database } from '../../trials/ha/settings.ts';
import type { HaSystem } from '../../trials/ha/system.ts';

const port = 8_080;
const clients = 8;
const wholeMs = 60_000;
const betweenMs = 2_000;

const answered = z.object({
  ...{ requests: z.number(), done: z.number(), failed: z.number(), repeated: z.number(), longestMs: z.number() },
  why: z.array(z.string()),
});

interface Switchovers extends z.infer<typeof answered> {
  readonly switchovers: number;
  /** Keys whose write was acknowledged, but that the database lacks. */
  readonly lost: number;
}

export async function switchovers(system: HaSystem, requests: number, signal: AbortSignal): Promise<Switchovers> {
  await using stack = new AsyncDisposableStack();
  const start = (place: PlaceName, program: string, words: readonly string[]): ChildProcess => {
    const path = fileURLToPath(new URL(`./${program}`, import.meta.url));
    const inside = ['netns', 'exec', system.network.namespace(place), process.execPath, path];
    const child = spawn(...endingWithParent('ip', [...inside, ...words]), { stdio: ['ignore', 'pipe', 'inherit'] });
    stack.defer(() => void child.kill('SIGKILL'));
    return child;
  };
  const primary = (await system.state())?.primary ?? 'a';
  const session = system.sql(primary);
  stack.defer(() => session.forget());
  await session.query(`CREATE TABLE ${database}.ha_request (id VARCHAR(40) NOT NULL PRIMARY KEY)`, [], 10_000);
  for (const host of dataHosts) await lineOf(start(host, 'api-process.ts', [system.settingsFile, host, String(port)]));
  const asking = lineOf(start('c', 'requests-process.ts', [String(port), String(requests), String(clients)]));
  let isDone = false;
  const ended = asking.finally(() => {
    isDone = true;
  });
  ended.catch(() => undefined);
  let count = 0;
  while (!isDone) {
    await sleep(betweenMs, undefined, { signal });
    const before = await system.state();
    if (isDone || before === undefined) break;
    await system.switchover(before.primary === 'a' ? 'b' : 'a');
    const isOver = async () => {
      const now = await system.state();
      return now !== undefined && now.epoch > before.epoch && now.isWhole;
    };
    await until('the switchover is done', wholeMs, isOver, signal);
    count += 1;
  }
  const figures = answered.parse(JSON.parse(await ended));
  const last = system.sql((await system.state())?.primary ?? 'a');
  stack.defer(() => last.forget());
  const [row] = await last.query<{ held: number }[]>(`SELECT COUNT(*) AS held FROM ${database}.ha_request`, [], 10_000);
  return { ...figures, switchovers: count, lost: Math.max(0, Math.ceil(figures.done / 2) - (row?.held ?? 0)) };
}

/** The first line of its output. */
async function lineOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('it has no output');
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => {
    throw new Error('it ended without output');
  });
  ended.catch(() => undefined);
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  return line;
}
