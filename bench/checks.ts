// The check engine with TCP targets on loopback addresses. It measures CPU per check against HAProxy's own checks in alternating rounds,
// the delay of checks, and the recorded results. Then a share of the targets falls silent. After that, `npm start` runs with thousands of
// dead backends: it measures how soon the death of a live backend is detected.
import { connect } from 'node:net';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { Child } from '../measure/child.ts';
import { cpuMsOf } from '../measure/cpu.ts';
import { median, rounded } from '../measure/statistics.ts';
import type { BareQuestion } from './checks/bare-process.ts';
import { deathBoundS, measureDeaths } from './checks/gone-backends.ts';
import { Haproxy } from './checks/haproxy.ts';
import type { ListenQuestion } from './checks/listener-process.ts';
import type { WorkerFigures, WorkerQuestion } from './checks/worker-process.ts';

const counts = {
  targets: { help: 'TCP targets', usual: 50_000, least: 1_000 },
  seconds: { help: 'of each measurement', usual: 15, full: 60 },
  rounds: { help: 'turns of the engine and of HAProxy', usual: 2, full: 3 },
  closed: { help: 'backends that refuse the connection', usual: 10_000 },
  silent: { help: 'backends that never answer', usual: 1_000 },
  living: { help: 'backends that die beside them, twice', usual: 20 },
};

export const benchChecks = defineBench({ counts, run });

const port = 18_080;
const times = { intervalMs: 5_000, timeoutMs: 1_000 };
/** Two intervals, and the time to detect changes. */
const settleMs = 15_000;
const askMs = 60_000;
/** A separate process serves a tenth of the hosts and will be stopped. */
const hostCount = 500;
const silentCount = hostCount / 10;

const hosts = Array.from({ length: hostCount }, (_, index) => `127.20.${Math.floor(index / 250)}.${(index % 250) + 1}`);
const silentHosts = hosts.slice(0, silentCount);

async function run({ counts: given, progress, signal }: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const listeners = {
    answering: startChild(stack, 'listener-process.ts'),
    silent: startChild(stack, 'listener-process.ts'),
  };
  await listeners.answering.ask(listen({ hosts: hosts.slice(silentCount), port }), askMs);
  await listeners.silent.ask(listen({ hosts: silentHosts, port, backlog: 1 }), askMs);
  const pause = (ms: number) => sleep(ms, undefined, { signal });

  const engines: Turn[] = [];
  const haproxyUs: number[] = [];
  const bareUs: number[] = [];
  for (let round = 0; round < given.rounds; round += 1) {
    engines.push(await engineTurn(given, listeners.silent, pause));
    progress(`engine: ${JSON.stringify(engines.at(-1))}`);
    await using turn = new AsyncDisposableStack();
    const targets = Array.from({ length: given.targets }, (_, index) => ({
      host: hosts[index % hostCount] ?? '',
      port,
    }));
    const haproxy = await Haproxy.start(turn, { targets, ...times });
    await pause(settleMs);
    const cpuBefore = haproxy.cpuMs();
    await pause(given.seconds * 1000);
    // HAProxy resets a connection before it is accepted, so the listeners count none. The number follows from the interval.
    const checks = (given.targets * given.seconds * 1000) / times.intervalMs;
    haproxyUs.push(((haproxy.cpuMs() - cpuBefore) * 1000) / checks);
    progress(`HAProxy: ${haproxyUs.at(-1)} µs a check`);
    await turn.disposeAsync();
    bareUs.push(await bareTurn(given, pause));
    progress(`a bare prober: ${bareUs.at(-1)} µs a check`);
  }
  const { quiet, busy } = await measureDeaths({ counts: given, progress, signal });
  const of = (pick: (turn: Turn) => number) => engines.map(pick);
  const cpuUsPerCheck = median(of((turn) => turn.cpuUsPerCheck));
  return {
    figures: {
      cpuUsPerCheck: rounded(cpuUsPerCheck, 1),
      toHaproxy: rounded(
        median(engines.map((turn, index) => turn.cpuUsPerCheck / (haproxyUs[index] ?? Number.NaN))),
        2,
      ),
      // The worst turn, because a median of two would hide it.
      lateP99Ms: rounded(Math.max(...of((turn) => turn.steady.lateP99Ms)), 0),
      silentLateP99Ms: rounded(Math.max(...of((turn) => turn.silent.lateP99Ms)), 0),
      rowsPerSecond: rounded(
        Math.max(...of((turn) => Math.max(turn.steady.rows, turn.silent.rows))) / given.seconds,
        1,
      ),
      falseDown: of((turn) => turn.steady.falseDown + turn.silent.falseDown).reduce((a, b) => a + b),
      missedDown: of((turn) => turn.silent.missedDown).reduce((a, b) => a + b),
      ...{ deathSeenS: quiet.deathSeenS, deathSeenBusyS: busy.deathSeenS, deathBoundS },
      deaths: { quiet, busy },
      haproxyUsPerCheck: rounded(median(haproxyUs), 1),
      // Node's cost of the connections alone.
      bareUsPerCheck: rounded(median(bareUs), 1),
      bareToHaproxy: rounded(median(bareUs.map((us, index) => us / (haproxyUs[index] ?? Number.NaN))), 2),
      inconclusive: of((turn) => turn.steady.inconclusive + turn.silent.inconclusive).reduce((a, b) => a + b),
      machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    },
  };
}

interface Turn {
  readonly cpuUsPerCheck: number;
  readonly steady: WorkerFigures;
  readonly silent: WorkerFigures;
}

async function engineTurn(
  given: { readonly targets: number; readonly seconds: number },
  silentListener: Child,
  pause: (ms: number) => Promise<void>,
): Promise<Turn> {
  await using stack = new AsyncDisposableStack();
  const worker = startChild(stack, 'worker-process.ts');
  const ask = (question: WorkerQuestion) => worker.ask<WorkerFigures>(question, askMs);
  await ask({ start: { hosts, port, targets: given.targets, ...times } });
  await pause(settleMs);
  await ask({});
  const cpuBefore = cpuMsOf(worker.pid);
  await pause(given.seconds * 1000);
  const cpuMs = cpuMsOf(worker.pid) - cpuBefore;
  const steady = await ask({});

  process.kill(silentListener.pid, 'SIGSTOP');
  stack.defer(() => void process.kill(silentListener.pid, 'SIGCONT'));
  const fillers = silentHosts.flatMap((host) =>
    [1, 2, 3].map(() => connect({ host, port }).on('error', () => undefined)),
  );
  stack.defer(() => {
    for (const filler of fillers) filler.destroy();
  });
  await pause(settleMs);
  await ask({});
  await pause(given.seconds * 1000);
  const silent = await ask({ silentHosts });
  return { cpuUsPerCheck: (cpuMs * 1000) / steady.checks, steady, silent };
}

/** CPU time of one check by a prober without an engine, in microseconds. */
async function bareTurn(
  given: { readonly targets: number; readonly seconds: number },
  pause: (ms: number) => Promise<void>,
): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const prober = startChild(stack, 'bare-process.ts');
  const ask = (question: BareQuestion) => prober.ask<number>(question, askMs);
  await ask({ start: { hosts, port, checksPerSecond: (given.targets * 1000) / times.intervalMs } });
  await pause(times.intervalMs);
  const [cpuBefore, checksBefore] = [cpuMsOf(prober.pid), await ask({})];
  await pause(given.seconds * 1000);
  return ((cpuMsOf(prober.pid) - cpuBefore) * 1000) / ((await ask({})) - checksBefore);
}

function listen(question: ListenQuestion): ListenQuestion {
  return question;
}

function startChild(stack: AsyncDisposableStack, file: string): Child {
  const child = new Child(new URL(`./checks/${file}`, import.meta.url));
  stack.defer(() => child.stop());
  return child;
}
