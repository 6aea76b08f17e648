// One checker with all its parts (link, plugins, reporter), compared with the check engine of a worker whose results stay in memory. Both
// check the same TCP targets, some of which never answer. Then the checker checks HTTP targets. The conductor is a link server that counts
// reports.
import { connect } from 'node:net';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { Child } from '../measure/child.ts';
import { cpuMsOf } from '../measure/cpu.ts';
import { median, rounded } from '../measure/statistics.ts';
import { LinkServer } from '../platform/link/link-server.ts';
import { newUuid } from '../platform/values/ids.ts';
import {
  checkerBatch,
  checkerRole,
  type Grant,
  type Target,
  targetId,
  targetKey,
} from '../subgraphs/gslb/wire/checker-wire.ts';
import { testAuthority, testMachine } from '../tests/support/product/machines.ts';
import type { ListenQuestion } from './checks/listener-process.ts';
import type { WorkerFigures, WorkerQuestion } from './checks/worker-process.ts';
import type { CheckerFigures, CheckerQuestion } from './gslb-checks/checker-process.ts';
import type { WebQuestion } from './gslb-checks/web-process.ts';

const counts = {
  targets: { help: 'targets, of which 5 % never answer', usual: 50_000, least: 1_000 },
  seconds: { help: 'of each measurement', usual: 15, full: 60 },
  rounds: { help: 'turns of the worker and of the checker', usual: 2, full: 3 },
};

export const benchGslbChecks = defineBench({ counts, run });

const port = 18_085;
const times = { intervalMs: 5_000, timeoutMs: 1_000 };
/** Two intervals, the time until the targets reach the checker, and the time to detect silent ones. */
const settleMs = 25_000;
const askMs = 60_000;
const hostCount = 500;
const silentCount = hostCount / 20;
const log = pino({ level: 'error' }, pino.destination(2));

const hosts = Array.from({ length: hostCount }, (_, index) => `127.21.${Math.floor(index / 250)}.${(index % 250) + 1}`);
const silentHosts = hosts.slice(0, silentCount);

type Counts = Readonly<Record<keyof typeof counts, number>>;

interface Turn {
  readonly cpuUsPerCheck: number;
  readonly lateP99Ms: number;
  readonly checks: number;
  readonly falseDown: number;
  readonly residentMiB: number;
}

async function run({ counts: given, progress, signal }: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const pause = (ms: number) => sleep(ms, undefined, { signal });
  const web = child(stack, './gslb-checks/web-process.ts');
  await web.ask({ hosts: hosts.slice(silentCount), port } satisfies WebQuestion, askMs);
  await fallSilent(stack);
  const turns: Record<'worker' | 'tcp' | 'http', Turn[]> = { worker: [], tcp: [], http: [] };
  for (let round = 0; round < given.rounds; round += 1) {
    turns.worker.push(await workerTurn(given, pause));
    turns.tcp.push(await checkerTurn(given, 'TCP', pause));
    turns.http.push(await checkerTurn(given, 'HTTP', pause));
    progress(JSON.stringify({ worker: turns.worker.at(-1), tcp: turns.tcp.at(-1), http: turns.http.at(-1) }));
  }
  const cpu = (which: keyof typeof turns) => median(turns[which].map(({ cpuUsPerCheck }) => cpuUsPerCheck));
  const checked = [...turns.tcp, ...turns.http];
  const due = (given.targets * given.seconds * 1_000) / times.intervalMs;
  return {
    figures: {
      checkerToWorker: rounded(
        median(turns.tcp.map((turn, at) => turn.cpuUsPerCheck / (turns.worker[at]?.cpuUsPerCheck ?? Number.NaN))),
        2,
      ),
      httpToTcp: rounded(
        median(turns.http.map((turn, at) => turn.cpuUsPerCheck / (turns.tcp[at]?.cpuUsPerCheck ?? Number.NaN))),
        2,
      ),
      lateP99Share: rounded(Math.max(...checked.map(({ lateP99Ms }) => lateP99Ms)) / times.intervalMs, 3),
      // The end of a measurement cuts off some checks: half a percent.
      skipped: checked.reduce((sum, { checks }) => sum + Math.max(0, Math.round(due * 0.995 - checks)), 0),
      falseDown: checked.reduce((sum, { falseDown }) => sum + falseDown, 0),
      residentMiB: rounded(Math.max(...checked.map(({ residentMiB }) => residentMiB)), 0),
      workerUsPerCheck: rounded(cpu('worker'), 1),
      tcpUsPerCheck: rounded(cpu('tcp'), 1),
      httpUsPerCheck: rounded(cpu('http'), 1),
      machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    },
  };
}

type Pause = (ms: number) => Promise<void>;

async function workerTurn(given: Counts, pause: Pause): Promise<Turn> {
  await using stack = new AsyncDisposableStack();
  const worker = child(stack, './checks/worker-process.ts');
  const ask = (question: WorkerQuestion) => worker.ask<WorkerFigures>(question, askMs);
  await ask({ start: { hosts, port, targets: given.targets, ...times } });
  await pause(settleMs);
  await ask({});
  const before = cpuMsOf(worker.pid);
  await pause(given.seconds * 1_000);
  const cpuMs = cpuMsOf(worker.pid) - before;
  const { checks, lateP99Ms, falseDown } = await ask({ silentHosts });
  return { cpuUsPerCheck: (cpuMs * 1_000) / checks, checks, lateP99Ms, falseDown, residentMiB: 0 };
}

async function checkerTurn(given: Counts, type: 'TCP' | 'HTTP', pause: Pause): Promise<Turn> {
  await using stack = new AsyncDisposableStack();
  const verdicts = new Map<string, string>();
  const silent = new Set<string>();
  const targets = Array.from({ length: given.targets }, (_, index): Target => {
    const host = hosts[index % hostCount] ?? '';
    const target: Target = {
      ...{ member: newUuid(), monitor: newUuid(), type, hosts: [host], port, parameters: {} },
      ...{ delayMs: times.intervalMs, timeoutMs: times.timeoutMs, failures: 2, successes: 1, confirmMs: 200 },
    };
    if (index % hostCount < silentCount) silent.add(targetId(target));
    return target;
  });
  const authority = await testAuthority();
  const server = await serve(stack, await testMachine(authority, 'gslb', 'conductor', log), targets, verdicts);
  const checker = child(stack, './gslb-checks/checker-process.ts');
  const ask = (question: CheckerQuestion) => checker.ask<CheckerFigures>(question, askMs);
  const { cert, key, ca = '' } = await testMachine(authority, checkerRole, 'bench-1', log);
  const text = (pem: unknown) => String(pem);
  await ask({ start: { url: `wss://127.0.0.1:${server.port}/link`, cert: text(cert), key: text(key), ca: text(ca) } });
  await pause(settleMs);
  await ask({});
  const before = cpuMsOf(checker.pid);
  await pause(given.seconds * 1_000);
  const cpuMs = cpuMsOf(checker.pid) - before;
  const { checks, lateP99Ms, residentMiB, targets: known } = await ask({});
  if (known !== given.targets) throw new Error(`the checker has ${known} targets of ${given.targets}`);
  const falseDown = [...verdicts].filter(([id, verdict]) => verdict === 'DOWN' && !silent.has(id)).length;
  return { cpuUsPerCheck: (cpuMs * 1_000) / checks, checks, lateP99Ms, falseDown, residentMiB };
}

/** Every reported verdict is kept, including the first DOWN of a target. */
async function serve(
  stack: AsyncDisposableStack,
  tls: Awaited<ReturnType<typeof testMachine>>,
  targets: readonly Target[],
  verdicts: Map<string, string>,
): Promise<LinkServer> {
  const now = () => Math.round(performance.now());
  let incarnation = 0;
  const server = await LinkServer.listen({
    ...{ host: '127.0.0.1', port: 0, tls, role: checkerRole, log },
    open: async (peer) => {
      incarnation += 1;
      const history = '0192d5a0-0000-7000-8000-000000000001';
      const position = { history, number: 1 };
      const grant: Grant = {
        history,
        ...{ incarnation, epoch: 1, vantagePoint: 'bench', stampMs: now(), allowedBlocks: [], deniedBlocks: [] },
        ...{ beacons: [], freshMs: 10_000, heartbeatMs: 500 },
      };
      return {
        epoch: incarnation,
        begin() {
          for (const target of targets)
            peer.send({ type: 'document', key: targetKey(target), position, document: { ...target } });
          peer.send({ type: 'whole' });
          peer.send({ type: 'document', key: 'grant', position, document: { ...grant } });
        },
        async report(_key, body) {
          for (const { target, verdict } of checkerBatch.parse(body).verdicts)
            if (verdicts.get(target) !== 'DOWN') verdicts.set(target, verdict);
          peer.send({ type: 'change', key: 'stamp', change: { stampMs: now() } });
        },
        resend: () => undefined,
        closed: async () => undefined,
      };
    },
  });
  stack.defer(() => server.stop());
  return server;
}

/** Listeners that never accept, with their queues full. */
async function fallSilent(stack: AsyncDisposableStack): Promise<void> {
  const listener = child(stack, './checks/listener-process.ts');
  await listener.ask({ hosts: silentHosts, port, backlog: 1 } satisfies ListenQuestion, askMs);
  process.kill(listener.pid, 'SIGSTOP');
  stack.defer(() => void process.kill(listener.pid, 'SIGCONT'));
  const fillers = silentHosts.flatMap((host) =>
    [1, 2, 3].map(() => connect({ host, port }).on('error', () => undefined)),
  );
  stack.defer(() => {
    for (const filler of fillers) filler.destroy();
  });
}

function child(stack: AsyncDisposableStack, file: string): Child {
  const made = new Child(new URL(file, import.meta.url));
  stack.defer(() => made.stop());
  return made;
}
