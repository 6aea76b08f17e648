// `npm run trials -- calls`: the trial of relayed calls under failures. Clients send a stream of mutations while relays, worker, Redis and
// MariaDB are killed, or the device misbehaves. The device's own log, by operation id, is the oracle.
// needs: nftables
import { setTimeout as sleep } from 'node:timers/promises';
import { inNamespace } from '../lab/exec.ts';
import { startWholeSystem, type WholeSystem } from '../measure/whole-system.ts';
import { Database } from '../platform/database/database.ts';
import { brokenInvariants } from '../tests/support/stores/invariants.ts';
import { DeviceTail } from './calls/device-tail.ts';
import { Failures, type Victim } from './calls/failures.ts';
import { GatewayClient } from './calls/gateway-client.ts';
import { readJournal, readKeys, untilEnded } from './calls/journal-evidence.ts';
import { CallStream } from './calls/stream.ts';
import { judge, type Verdict } from './calls/verdict.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { seededRandom } from './random.ts';
import { folderOption, oneOf } from './trial-options.ts';

interface CallTrialsOptions extends TrialRun {
  readonly trials: number;
  /** The device misbehaves in each trial, too. */
  readonly faults?: boolean;
  readonly clients?: number;
  /** Data folder with logs; it is not removed. */
  readonly folder: string;
  readonly labFolder?: string;
}

interface CallTrialsResult extends Verdict {
  readonly seed: number;
  readonly trials: number;
  readonly kills: Readonly<Record<Victim, number>>;
  readonly deviceFaults: number;
  /** 1 if the system of the last trial did not become ready by itself, which ended the run. */
  readonly notReady: number;
  /** The time from the last kill of a trial to a new mutation that SUCCEEDED. */
  readonly readyAgainMs: { readonly p50: number; readonly max: number };
  /** The number of repeated requests, by reason. */
  readonly retries: Readonly<Record<string, number>>;
  /** Answers that the retry contract does not allow. */
  readonly unexpected: number;
  /** Broken invariants of the tables. */
  readonly invariants: number;
  readonly seconds: number;
}

const limits = { deadlineMs: 2_000, concurrency: 4 };
const readyDeadlineMs = 60_000;
/** Longer than lease, deadline and grace of the last trial's calls. */
const endDeadlineMs = 45_000;
const answersDeadlineMs = 60_000;
/** nft reads the whole ruleset for each rule, so it must not grow with the trials. */
const trialsPerCleaning = 10;
const [leastBeforeMs, longestBeforeMs] = [100, 1_000];

export const trialCalls = defineTrial({
  counts: { trials: { help: 'disturbances', usual: 280, full: 500 } },
  options: {
    faults: oneOf('whether the device misbehaves, too', ['false', 'true'], 'false'),
    folder: folderOption('the logs of all processes'),
  },
  run: ({ faults, ...given }) => runCallTrials({ ...given, faults: faults === 'true' }),
  mustBeZero: [
    ...(['lost', 'repeated', 'falseUnknown', 'notFinal', 'wrongRejected', 'unanswered', 'unexpected'] as const),
    ...(['invariants', 'notReady'] as const),
  ],
});

export async function runCallTrials(options: CallTrialsOptions): Promise<CallTrialsResult> {
  const { seed, trials, faults = false, progress, signal, timeIsUp = () => false } = options;
  const random = seededRandom(seed);
  const startedMs = performance.now();
  await using cleanup = new AsyncDisposableStack();
  const system = await startWholeSystem({
    folder: options.folder,
    lab: true,
    ...(options.labFolder === undefined ? {} : { labFolder: options.labFolder }),
    limits,
    settings: { 'relay.checkIntervalMs': 1_000 },
    ...(signal === undefined ? {} : { signal }),
  });
  cleanup.defer(() => system.stop());
  const tail = new DeviceTail(system.lab.deviceLogPath);
  cleanup.defer(() => tail.close());
  const client = new GatewayClient(system);
  // The stream has its own random generator. It uses as many values as the machine is fast, and this must not shift the failures.
  const stream = new CallStream({ client, random: seededRandom(seed + 1), clients: options.clients ?? 6, pauseMs: 40 });
  cleanup.defer(() => stream.finish(0));
  if ((await stream.untilReady(readyDeadlineMs)) === undefined) throw new Error('the system accepts no calls');
  stream.start();

  const failures = new Failures(system, random);
  const readyMs: number[] = [];
  let notReady = 0;
  for (let trial = 1; trial <= trials && notReady === 0 && signal?.aborted !== true && !timeIsUp(); trial += 1) {
    await sleep(random.integer(leastBeforeMs, longestBeforeMs));
    const what = faults ? await failures.disturb() : await failures.kill();
    const tookMs = await stream.untilReady(readyDeadlineMs);
    const back = await Promise.all(system.parts.map((part) => part.waitUp(readyDeadlineMs)));
    if (tookMs === undefined || back.includes(false)) notReady += 1;
    readyMs.push(tookMs ?? readyDeadlineMs);
    if (trial % trialsPerCleaning === 0) await cleanDevice(system, tail);
    const ready = tookMs === undefined ? 'NOT READY' : `ready after ${Math.round(tookMs)} ms`;
    progress?.(`${trial}/${trials}: ${what}; ${ready}; ${stream.answers.length} answers`);
  }
  await stream.finish(answersDeadlineMs);

  const db = new Database({ connection: system.connection, connectionLimit: 2 });
  cleanup.defer(() => db.close());
  await untilEnded(db, endDeadlineMs);
  await tail.read();
  const verdict = judge({
    answers: stream.answers,
    journal: await readJournal(db),
    keys: await readKeys(
      db,
      stream.answers.map((answer) => answer.key),
    ),
    device: tail.records,
    disturbances: tail.disturbances,
    lives: system.parts.flatMap((part) => part.lives),
  });
  const broken = await brokenInvariants(db);
  for (const finding of [...verdict.findings, ...broken, ...stream.unexpected.map((each) => `unexpected: ${each}`)])
    progress?.(finding);
  readyMs.sort((a, b) => a - b);
  return {
    ...verdict,
    seed,
    trials: readyMs.length,
    kills: failures.kills,
    deviceFaults: failures.faults,
    notReady,
    readyAgainMs: { p50: Math.round(readyMs[readyMs.length >> 1] ?? 0), max: Math.round(readyMs.at(-1) ?? 0) },
    retries: Object.fromEntries(stream.retries),
    unexpected: stream.unexpected.length,
    invariants: broken.length,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
  };
}

/** This runs outside the device, so that the device's log has no entry about it. */
async function cleanDevice(system: WholeSystem, tail: DeviceTail): Promise<void> {
  await tail.read();
  const { namespace } = system.lab.firewall;
  const input = 'flush chain inet filter forward\nflush set inet filter blocked\n';
  const { exitCode, stderr } = await inNamespace(namespace, 'nft', ['--file', '-'], { input });
  if (exitCode !== 0) throw new Error(`the lab's firewall could not be cleaned: ${stderr.trim()}`);
}
