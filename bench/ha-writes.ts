// The cost of the second copy: commits that wait for it, alternating with commits of the same primary while the other host is away. It also
// measures the resources of an idle agent.
// needs: iproute2
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runProgram } from '../embedded/run-program.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { cpuMsWithEnded } from '../measure/cpu.ts';
import { median, rounded } from '../measure/statistics.ts';
import { type DataHost, HaNetwork } from '../trials/ha/network.ts';
import { dataHosts, until } from '../trials/ha/pair.ts';
import { database } from '../trials/ha/settings.ts';
import { HaSystem } from '../trials/ha/system.ts';

const counts = {
  rounds: { help: 'in sync and detached, by turns', usual: 6 },
  seconds: { help: 'of one client, and of many, in each round', usual: 4 },
  clients: { help: 'at once, for the writes per second', usual: 16 },
  idleSeconds: { help: 'without load, for the agent', usual: 30 },
  leaseMs: { help: 'of the lease: whole seconds', usual: 3_000 },
};

export const benchHaWrites = defineBench({ counts, run });

const wholeMs = 90_000;
const settleMs = 2_000;
const warmUpMs = 2_000;

const measured = z.object({ writes: z.number(), elapsedMs: z.number(), p50Ms: z.number() });
type State = 'in sync' | 'detached';

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { counts: wanted, progress, signal } = context;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-ha-writes-'));
  await chmod(folder, 0o711);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const network = await HaNetwork.layOut(String(process.pid));
  stack.defer(() => network.remove());
  const system = await HaSystem.start(network, { folder, leaseMs: wanted.leaseMs, skewed: false, signal });
  stack.defer(() => system.stop());
  const primary = (await system.state())?.primary ?? 'a';
  const standby = primary === 'a' ? 'b' : 'a';
  const session = system.sql(primary);
  await session.query(
    `CREATE TABLE ${database}.ha_bench (id BIGINT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200) NOT NULL)`,
    [],
    10_000,
  );
  session.forget();
  await sleep(settleMs, undefined, { signal });
  const agents = await idleAgents(system, wanted.idleSeconds, signal);
  const results: Record<State, { readonly p50Ms: number[]; readonly perSecond: number[] }> = {
    'in sync': { p50Ms: [], perSecond: [] },
    detached: { p50Ms: [], perSecond: [] },
  };
  const bring = async (state: State) => {
    await (state === 'in sync' ? network.plug(standby) : network.unplug(standby));
    const isSo = async () => {
      const now = await system.state();
      if (now?.primary !== primary) throw new Error('the primary has changed');
      return now.isWhole === (state === 'in sync');
    };
    // The primary notices an unplugged copy at its next write.
    if (state === 'detached') await load(system, primary, 1, warmUpMs);
    await until(state, wholeMs, isSo, signal);
    if (state === 'in sync' && !(await system.hasCaughtUp(standby, primary, wholeMs)))
      throw new Error('the copy has not caught up');
  };
  await load(system, primary, wanted.clients, warmUpMs);
  for (let round = 0; round < wanted.rounds; round += 1)
    for (const state of round % 2 === 0 ? (['in sync', 'detached'] as const) : (['detached', 'in sync'] as const)) {
      await bring(state);
      const one = await load(system, primary, 1, wanted.seconds * 1_000);
      const many = await load(system, primary, wanted.clients, wanted.seconds * 1_000);
      results[state].p50Ms.push(one.p50Ms);
      results[state].perSecond.push((many.writes * 1_000) / many.elapsedMs);
      progress(
        `${state}: p50 ${one.p50Ms.toFixed(2)} ms, ${Math.round((many.writes * 1_000) / many.elapsedMs)} writes/s`,
      );
    }
  const { 'in sync': inSync, detached } = results;
  return {
    figures: {
      commitRatio: rounded(median(inSync.p50Ms) / median(detached.p50Ms), 2),
      writesRatio: rounded(median(inSync.perSecond) / median(detached.perSecond), 2),
      agentCpuPercent: rounded(Math.max(...agents.map(({ cpuPercent }) => cpuPercent)), 2),
      agentMiB: rounded(Math.max(...agents.map(({ mib }) => mib)), 1),
      ...{ inSyncP50Ms: rounded(median(inSync.p50Ms), 2), detachedP50Ms: rounded(median(detached.p50Ms), 2) },
      inSyncWritesPerSecond: Math.round(median(inSync.perSecond)),
      detachedWritesPerSecond: Math.round(median(detached.perSecond)),
      agents,
      machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    },
  };
}

async function idleAgents(system: HaSystem, seconds: number, signal: AbortSignal) {
  const pids = await Promise.all(dataHosts.map(async (host) => (await system.pid(host, 'agent')) ?? 0));
  const cpu = () => pids.map(cpuMsWithEnded);
  const before = cpu();
  await sleep(seconds * 1_000, undefined, { signal });
  const after = cpu();
  return Promise.all(
    dataHosts.map(async (host, at) => ({
      host,
      cpuPercent: rounded(((after[at] ?? 0) - (before[at] ?? 0)) / (seconds * 10), 2),
      mib: await residentMiB(pids[at] ?? 0),
    })),
  );
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return rounded(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024, 1);
}

async function load(system: HaSystem, host: DataHost, clients: number, forMs: number) {
  const program = fileURLToPath(new URL('./ha-writes/load-process.ts', import.meta.url));
  const words = [process.execPath, program, system.settingsFile, host, String(clients), String(forMs)];
  const { exitCode, stdout, stderr } = await runProgram(
    'ip',
    ['netns', 'exec', system.network.namespace('c'), ...words],
    { timeoutMs: forMs + 30_000 },
  );
  if (exitCode !== 0) throw new Error(`the load ended with ${exitCode}: ${stderr}`);
  return measured.parse(JSON.parse(stdout));
}
