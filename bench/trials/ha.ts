// `npm run trials -- ha`: two data hosts and a witness as network namespaces, one client, and a fault at a time; then what was
// acknowledged beside what every host holds. One JSON line.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../ha/agent/clock.ts';
import { ArgumentError } from '../arguments.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { TrialClient } from './ha/client.ts';
import { faultKinds, kindsOf, single } from './ha/faults.ts';
import { GaleraSystem } from './ha/galera.ts';
import { type Holdings, holdingsOf } from './ha/holdings.ts';
import { type Acknowledgement, judge, overlapMs } from './ha/judge.ts';
import { HaNetwork } from './ha/network.ts';
import { type Pair, until } from './ha/pair.ts';
import { AddressSamples, WritableSamples } from './ha/samples.ts';
import { HaSystem } from './ha/system.ts';
import { seededRandom } from './random.ts';

const counts = {
  trials: { help: 'faults', usual: 30, full: 300 },
  idleMs: { help: 'milliseconds without a fault, first: no failover', usual: 120_000, full: 600_000, least: 0 },
  busyMs: { help: 'milliseconds with all processors busy, then: no failover', usual: 60_000, least: 0 },
  stopMs: { help: 'milliseconds for which a process stands still, at most', usual: 15_000, full: 60_000, least: 1_000 },
  leaseMs: { help: 'of the lease: whole seconds', usual: 3_000 },
  writers: { help: 'of the client', usual: 4 },
};

export const trialHa = defineBench({
  counts,
  options: {
    engine: 'semi-sync (the default) or galera: two data nodes and garbd',
    only: `faults, with commas: ${Object.keys(faultKinds).join(', ')}`,
    folder: 'keeps the logs there',
  },
  run,
});

/** From the end of a fault until both hosts are in sync again. */
const recoveryMs = 90_000;
const settleMs = 1_500;
const engines = ['semi-sync', 'galera'];

interface Outcome {
  readonly fault: string;
  readonly gapMs: number;
  /** Writes that ended with neither an acknowledgement nor a refusal. */
  readonly unknown: number;
  readonly recoveredMs: number | undefined;
}

type Counts = BenchContext<keyof typeof counts>;

async function run(context: Counts): Promise<BenchResult<keyof typeof counts>> {
  const { counts: wanted, options, progress, signal } = context;
  const names = options.only?.split(',') ?? Object.keys(faultKinds);
  for (const name of names)
    if (!Object.hasOwn(faultKinds, name)) throw new ArgumentError(`--only: there is no '${name}'`);
  const { engine = 'semi-sync' } = options;
  if (!engines.includes(engine)) throw new ArgumentError(`--engine: there is no '${engine}'`);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-ha-')));
  await chmod(folder, 0o711);
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  });
  const network = await HaNetwork.layOut(String(process.pid));
  stack.defer(() => network.remove());
  const start = { folder, leaseMs: wanted.leaseMs, skewed: names.some((name) => name.startsWith('clock')), signal };
  const ha: Pair =
    engine === 'galera' ? await GaleraSystem.start(network, start) : await HaSystem.start(network, start);
  stack.defer(() => ha.stop());
  progress(`${engine}: both hosts are in sync; logs in ${folder}`);
  // Awaited: what was started ends after it.
  return await runTrials(ha, names, engine, context);
}

async function runTrials(
  ha: Pair,
  asked: readonly string[],
  engine: string,
  { seed, counts: wanted, timeIsUp, progress, signal }: Counts,
): Promise<BenchResult<keyof typeof counts>> {
  const random = seededRandom(seed);
  // In another order each time: there are more kinds than trials without options.
  const names = random.shuffle(kindsOf(ha, asked));
  const singles = kindsOf(ha, Object.keys(single));
  const leftOut = asked.filter((name) => !names.includes(name));
  if (leftOut.length > 0) progress(`left out, as ${engine} has no part for it here: ${leftOut.join(', ')}`);
  const pause = (ms: number) => sleep(ms, undefined, { signal });
  const client = new TrialClient(ha, wanted.writers, engine);
  const samples = { writable: new WritableSamples(ha), address: new AddressSamples(ha) };
  await using stack = new AsyncDisposableStack();
  const endAll = async () => {
    await client.end();
    await samples.writable.end();
    await samples.address.end();
  };
  stack.defer(endAll);
  const outcomes: Outcome[] = [];
  const faults: string[] = [];
  await sleep(settleMs);
  let falseFailovers = 0;
  for (const [control, ms] of [
    ['idle', wanted.idleMs],
    ['busy', wanted.busyMs],
  ] as const) {
    const epoch = (await ha.state())?.epoch ?? 0;
    const busy = control === 'busy' && ms > 0 ? keepBusy() : [];
    await pause(ms).finally(() => busy.forEach((each) => void each.kill('SIGKILL')));
    const failovers = ((await ha.state())?.epoch ?? 0) - epoch;
    progress(JSON.stringify({ control, ms, failovers }));
    falseFailovers += failovers;
    if (failovers !== 0) faults.push(`${failovers} failovers without a fault: ${control}`);
  }
  for (let at = 0; at < wanted.trials && names.length > 0 && !timeIsUp() && !signal.aborted; at += 1) {
    const fault = faultKinds[names[at % names.length] ?? '']?.make(random, wanted.stopMs, singles);
    const state = await ha.state();
    if (fault === undefined || state === undefined) break;
    const [from, unknownBefore] = [client.told.length, client.unknown];
    await fault.run(ha, state.primary, pause).catch((error: unknown) => {
      faults.push(`${fault.name} was not done: ${String(error)}`);
    });
    const healedMs = monotonicMs();
    let before: readonly string[] | undefined;
    const isWhole = async () => {
      const now = await ha.state();
      before ??= now?.said;
      // An agent that was killed may have left a lease that has not ended.
      if (now?.said?.some((said, host) => said === before?.[host]) === true) return false;
      const writes = client.told.slice(-50).some(({ key, sentMs }) => key.startsWith('w') && sentMs > healedMs);
      return now?.isWhole === true && writes;
    };
    await sleep(settleMs);
    const recovered = await until('whole again', recoveryMs, isWhole, signal).then(
      () => true,
      () => false,
    );
    outcomes.push({
      fault: fault.name,
      gapMs: longest(client.told.slice(Math.max(0, from - 1)), recovered ? 0 : monotonicMs()),
      unknown: client.unknown - unknownBefore,
      recoveredMs: recovered ? Math.round(monotonicMs() - healedMs) : undefined,
    });
    progress(JSON.stringify(outcomes.at(-1)));
    if (!recovered) {
      faults.push(`not recovered after: ${fault.name}`);
      if (ha.recoverByHand === undefined) break;
      await ha.recoverByHand();
      const isBack = until('whole again, by hand', recoveryMs, isWhole, signal).then(
        () => true,
        () => false,
      );
      if (!(await isBack)) break;
    }
    const wrong = await fault.check?.(ha).catch((error: unknown) => String(error));
    if (wrong !== undefined) faults.push(wrong);
  }
  await endAll();
  await sleep(settleMs);
  let holdings: Holdings | undefined;
  const readsAll = async () => {
    holdings = await holdingsOf(ha, (await ha.state())?.primary ?? 'a', recoveryMs);
    return true;
  };
  await until('both hosts say what they hold', recoveryMs, readsAll, signal).catch((error: unknown) => {
    faults.push(`nothing is judged: ${String(error)}`);
  });
  const trialFigures = { engine, trials: outcomes.length, falseFailovers, leftOut, outcomes };
  if (holdings === undefined) return { figures: trialFigures, ran: { trials: outcomes.length }, faults };
  const { rows, copy, repeated, caughtUp } = holdings as Holdings;
  const judgement = judge(client.told, rows, copy);
  if (!caughtUp) faults.push('in the end the copy had not applied everything');
  if (judgement.lost.length > 0) faults.push(`lost: ${judgement.lost.slice(0, 10).join(', ')}`);
  if (judgement.dualAcknowledged > 0) faults.push(`${judgement.dualAcknowledged} acknowledged on two hosts`);
  if (judgement.wrongReplication > 0) faults.push(`${judgement.wrongReplication} writes that only one host has`);
  if (repeated > 0) faults.push(`${repeated} writes were done more than once`);
  faults.push(...client.faults);
  return {
    figures: {
      engine,
      ...{ trials: outcomes.length, acknowledged: judgement.acknowledged, lost: judgement.lost.length },
      ...{ repeated, dualAcknowledged: judgement.dualAcknowledged },
      ...{ staleReads: client.staleReads, eventGaps: client.eventGaps },
      wrongReplication: judgement.wrongReplication,
      notRecovered: outcomes.filter(({ recoveredMs }) => recoveredMs === undefined).length,
      falseFailovers,
      // Every node of Galera is writable, and it has no address.
      vipOverlapMs: ha.parts.has('keepalived') ? overlapMs(samples.address.of) : null,
      writableOverlapMs: engine === 'galera' ? null : overlapMs(samples.writable.of),
      ...{ leftOut, outcomes },
    },
    ran: { trials: outcomes.length },
    faults,
  };
}

/** Other processes that want every processor. */
function keepBusy(): readonly ChildProcess[] {
  return Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['--eval', 'for (;;);'], { stdio: 'ignore' }),
  );
}

/** Without an acknowledgement; `lastsUntilMs`: there is none until then. */
function longest(told: readonly Acknowledgement[], lastsUntilMs: number): number {
  const writes = told.filter(({ key }) => key.startsWith('w')).map(({ answeredMs }) => answeredMs);
  const times = lastsUntilMs === 0 ? writes : [...writes, lastsUntilMs];
  return Math.round(times.slice(1).reduce((most, at, index) => Math.max(most, at - (times[index] ?? at)), 0));
}
