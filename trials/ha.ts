// `npm run trials -- ha`: two data hosts and a witness as network namespaces, one client, and one fault at a time. At the end, it compares
// acknowledged writes with the contents of every host. One JSON line.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../embedded/ends-with-parent.ts';
import { monotonicMs } from '../ha/agent/clock.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { TrialClient } from './ha/client.ts';
import { faultKinds, kindsOf, single } from './ha/faults.ts';
import { GaleraSystem } from './ha/galera.ts';
import { type Holdings, holdingsOf } from './ha/holdings.ts';
import { HaNetwork } from './ha/network.ts';
import { type Pair, until } from './ha/pair.ts';
import { AddressSamples, WritableSamples } from './ha/samples.ts';
import { HaSystem } from './ha/system.ts';
import { type Acknowledgement, judge, overlapMs } from './ha/verdict.ts';
import { seededRandom } from './random.ts';
import { folderOption, oneOf, someOf } from './trial-options.ts';

export const trialHa = defineTrial({
  counts: {
    trials: { help: 'faults', usual: 30, full: 300 },
    idleMs: { help: 'time without a fault, first: no failover', unit: 'ms', usual: 120_000, full: 600_000, least: 0 },
    busyMs: {
      help: 'time with starved processors, then: no failover',
      unit: 'ms',
      usual: 60_000,
      full: 300_000,
      least: 0,
    },
    loops: { help: 'busy loops in that time, each in a session of its own', usual: 30 },
    stopMs: { help: 'longest stop of a process', unit: 'ms', usual: 15_000, full: 60_000, least: 1_000 },
    leaseMs: { help: 'duration of the lease, in whole seconds', unit: 'ms', usual: 3_000 },
    writers: { help: 'connections of the client that write', usual: 4 },
  },
  options: {
    engine: oneOf('kind of replication (galera has two data nodes and garbd)', ['semi-sync', 'galera'], 'semi-sync'),
    only: someOf('faults', Object.keys(faultKinds)),
    folder: folderOption('the logs'),
  },
  run: runHaTrials,
  mustBeZero: ['falseFailovers'],
});

interface HaOptions extends Required<TrialRun> {
  readonly trials: number;
  readonly idleMs: number;
  readonly busyMs: number;
  readonly loops: number;
  readonly stopMs: number;
  readonly leaseMs: number;
  readonly writers: number;
  readonly engine: 'semi-sync' | 'galera';
  readonly only: readonly string[];
  readonly folder: string;
}

/** Limit for the time from the end of a fault until both hosts are in sync again. */
const recoveryMs = 90_000;
const settleMs = 1_500;

interface Outcome {
  readonly fault: string;
  readonly gapMs: number;
  /** Writes that ended without an acknowledgement or a refusal. */
  readonly unknown: number;
  readonly recoveredMs: number | undefined;
}

async function runHaTrials(options: HaOptions) {
  const { engine, only, folder, leaseMs, progress, signal } = options;
  await using stack = new AsyncDisposableStack();
  const network = await HaNetwork.layOut(String(process.pid));
  stack.defer(() => network.remove());
  const start = { folder, leaseMs, skewed: only.some((name) => name.startsWith('clock')), signal };
  const ha: Pair =
    engine === 'galera' ? await GaleraSystem.start(network, start) : await HaSystem.start(network, start);
  stack.defer(() => ha.stop());
  progress(`${engine}: both hosts are in sync`);
  // This is awaited, because started processes must end after it.
  return await runTrials(ha, options);
}

async function runTrials(ha: Pair, options: HaOptions) {
  const { seed, only: asked, engine, timeIsUp, progress, signal } = options;
  const random = seededRandom(seed);
  // The order is random, because there are more kinds than trials by default.
  const names = random.shuffle(kindsOf(ha, asked));
  const singles = kindsOf(ha, Object.keys(single));
  const leftOut = asked.filter((name) => !names.includes(name));
  if (leftOut.length > 0) progress(`left out, as ${engine} has no part for it here: ${leftOut.join(', ')}`);
  const pause = (ms: number) => sleep(ms, undefined, { signal });
  const client = new TrialClient(ha, options.writers, engine);
  const samples = { writable: new WritableSamples(ha), address: new AddressSamples(ha) };
  await using stack = new AsyncDisposableStack();
  const endAll = async () => {
    await client.end();
    await samples.writable.end();
    await samples.address.end();
  };
  stack.defer(endAll);
  const outcomes: Outcome[] = [];
  const findings: string[] = [];
  await sleep(settleMs);
  let falseFailovers = 0;
  for (const [control, ms] of [
    ['idle', options.idleMs],
    ['busy', options.busyMs],
  ] as const) {
    const epoch = (await ha.state())?.epoch ?? 0;
    const busy = control === 'busy' && ms > 0 ? keepBusy(options.loops) : [];
    const from = client.told.length;
    await pause(ms).finally(() => busy.forEach((each) => void each.kill('SIGKILL')));
    const failovers = ((await ha.state())?.epoch ?? 0) - epoch;
    const medianMs = medianOf(client.told.slice(from).map(({ sentMs, answeredMs }) => answeredMs - sentMs));
    progress(JSON.stringify({ control, ms, failovers, medianMs }));
    falseFailovers += failovers;
    if (failovers !== 0) findings.push(`${failovers} failovers without a fault: ${control}`);
  }
  for (let at = 0; at < options.trials && names.length > 0 && !timeIsUp() && !signal.aborted; at += 1) {
    const fault = faultKinds[names[at % names.length] ?? '']?.make(random, options.stopMs, singles);
    const state = await ha.state();
    if (fault === undefined || state === undefined) break;
    const [from, unknownBefore] = [client.told.length, client.unknown];
    await fault.run(ha, state.primary, pause).catch((error: unknown) => {
      findings.push(`${fault.name} was not done: ${String(error)}`);
    });
    const healedMs = monotonicMs();
    let before: readonly string[] | undefined;
    const isWhole = async () => {
      const now = await ha.state();
      before ??= now?.said;
      // A killed agent may have left a lease that has not expired.
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
      findings.push(`not recovered after: ${fault.name}`);
      if (ha.recoverByHand === undefined) break;
      await ha.recoverByHand();
      const isBack = until('recovered by hand', recoveryMs, isWhole, signal).then(
        () => true,
        () => false,
      );
      if (!(await isBack)) break;
    }
    const wrong = await fault.check?.(ha).catch((error: unknown) => String(error));
    if (wrong !== undefined) findings.push(wrong);
  }
  await endAll();
  await sleep(settleMs);
  let holdings: Holdings | undefined;
  const readsAll = async () => {
    holdings = await holdingsOf(ha, (await ha.state())?.primary ?? 'a', recoveryMs);
    return true;
  };
  await until('both hosts report what they hold', recoveryMs, readsAll, signal).catch((error: unknown) => {
    findings.push(`nothing is judged: ${String(error)}`);
  });
  const trialFigures = { engine, trials: outcomes.length, falseFailovers, leftOut, outcomes, findings };
  if (holdings === undefined) return trialFigures;
  const { rows, copy, repeated, caughtUp } = holdings as Holdings;
  const judgement = judge(client.told, rows, copy);
  if (!caughtUp) findings.push('in the end the copy had not applied everything');
  if (judgement.lost.length > 0) findings.push(`lost: ${judgement.lost.slice(0, 10).join(', ')}`);
  if (judgement.dualAcknowledged > 0) findings.push(`${judgement.dualAcknowledged} acknowledged on two hosts`);
  if (judgement.wrongReplication > 0) findings.push(`${judgement.wrongReplication} writes that only one host has`);
  if (repeated > 0) findings.push(`${repeated} writes were done more than once`);
  findings.push(...client.faults);
  return {
    engine,
    ...{ trials: outcomes.length, acknowledged: judgement.acknowledged, lost: judgement.lost.length },
    ...{ repeated, dualAcknowledged: judgement.dualAcknowledged },
    ...{ staleReads: client.staleReads, eventGaps: client.eventGaps },
    wrongReplication: judgement.wrongReplication,
    notRecovered: outcomes.filter(({ recoveredMs }) => recoveredMs === undefined).length,
    falseFailovers,
    // In Galera every node is writable and there is no virtual address.
    vipOverlapMs: ha.parts.has('keepalived') ? overlapMs(samples.address.of) : null,
    writableOverlapMs: engine === 'galera' ? null : overlapMs(samples.writable.of),
    ...{ leftOut, outcomes, findings },
  };
}

/** Other work of the machine. The kernel shares processors out by session, so loops of one session would count as one. */
function keepBusy(loops: number): readonly ChildProcess[] {
  return Array.from({ length: loops }, () =>
    spawn(...endingWithParent('/bin/sh', ['-c', 'while :; do :; done']), { stdio: 'ignore', detached: true }),
  );
}

function medianOf(values: readonly number[]): number {
  return Math.round(values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0);
}

/** The longest time without an acknowledgement. `lastsUntilMs`: the last gap lasts until then. */
function longest(told: readonly Acknowledgement[], lastsUntilMs: number): number {
  const writes = told.filter(({ key }) => key.startsWith('w')).map(({ answeredMs }) => answeredMs);
  const times = lastsUntilMs === 0 ? writes : [...writes, lastsUntilMs];
  return Math.round(times.slice(1).reduce((most, at, index) => Math.max(most, at - (times[index] ?? at)), 0));
}
