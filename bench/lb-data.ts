// CPU per request through a node, compared with a minimal hand-written HAProxy and with nginx, in alternating rounds: the cost of checks,
// persistence, rules, headers and the log.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { cpuMsOf } from '../measure/cpu.ts';
import { median, rounded } from '../measure/statistics.ts';
import { type Lane, load, type Place, startFloor, startMembers, startNginxProxy, startNode } from './lb/data-places.ts';

const counts = {
  rounds: { help: 'alternating rounds', usual: 7 },
  seconds: { help: 'of each kind in a round', usual: 4 },
  clients: { help: 'clients at once', usual: 16 },
};

export const benchLbData = defineBench({ counts, run });

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { counts, progress, signal } = context;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-lb-data-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const memberPort = await startMembers(stack, folder);
  const node = await startNode(stack, folder, memberPort);
  const floor = await startFloor(stack, folder, memberPort);
  const nginx = await startNginxProxy(stack, folder, memberPort);
  const kinds: readonly (readonly [name: string, place: Place, lane: Lane])[] = [
    ...(['http', 'tls', 'tcp', 'logged'] as const).map((lane) => [`node ${lane}`, node, lane] as const),
    ...(['http', 'tls', 'tcp'] as const).map((lane) => [`floor ${lane}`, floor, lane] as const),
    ['nginx http', nginx, 'http'],
  ];
  const measured = new Map<string, number[]>(kinds.map(([name]) => [name, []]));
  for (let round = 0; round < counts.rounds; round += 1) {
    // Other load may change during a round, so every second round runs in reverse order.
    for (const [name, place, lane] of round % 2 === 0 ? kinds : kinds.toReversed()) {
      signal.throwIfAborted();
      measured.get(name)?.push(await microsecondsOf(place, lane, counts));
    }
    progress(`round ${round + 1}: ${kinds.map(([name]) => `${name} ${measured.get(name)?.at(-1)}`).join(', ')}`);
  }
  const ratio = (one: string, other: string) =>
    rounded(median((measured.get(one) ?? []).map((value, at) => value / (measured.get(other)?.[at] ?? Number.NaN))), 2);
  const figures = {
    httpToFloor: ratio('node http', 'floor http'),
    tlsToFloor: ratio('node tls', 'floor tls'),
    tcpToFloor: ratio('node tcp', 'floor tcp'),
    loggedToFloor: ratio('node logged', 'floor http'),
    httpToNginx: ratio('node http', 'nginx http'),
    cpuUsPerRequest: Object.fromEntries([...measured].map(([name, values]) => [name, rounded(median(values), 1)])),
  };
  return { figures };
}

async function microsecondsOf(
  { pid, ports }: Place,
  lane: Lane,
  { seconds, clients }: { readonly seconds: number; readonly clients: number },
): Promise<number> {
  const process = await pid();
  const url = `${lane === 'tls' ? 'https' : 'http'}://127.0.0.1:${ports[lane]}/`;
  const before = cpuMsOf(process);
  const requests = await load(url, seconds, clients);
  return rounded(((cpuMsOf(process) - before) * 1_000) / requests, 2);
}
