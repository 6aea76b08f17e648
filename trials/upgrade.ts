// `npm run trials -- upgrade`: an installation of the last release becomes one of this version, process by process, and goes back, while clients
// send requests and call a device. The oracles are the clients' own logs, the device's log, the versions of the changed objects, and the table of
// events.
// needs: system, haproxy, nftables
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { rounded } from '../measure/statistics.ts';
import { startWholeSystem } from '../measure/whole-system.ts';
import { Database } from '../platform/database/database.ts';
import { describeProcess } from '../platform/database/registered-processes.ts';
import { CursorSealer } from '../platform/secrets/cursor-sealer.ts';
import { keyFilePath } from '../platform/secrets/key-folder.ts';
import { openKeyring } from '../platform/secrets/keyring.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import { DeviceTail } from './calls/device-tail.ts';
import { GatewayClient } from './calls/gateway-client.ts';
import { readJournal, readKeys, untilEnded } from './calls/journal-evidence.ts';
import { CallStream } from './calls/stream.ts';
import { judge } from './calls/verdict.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import type { ReaderPlan } from './events/gateway-plans.ts';
import { GatewayReader } from './events/gateway-reader.ts';
import { sequencedTable } from './events/status-table.ts';
import { startFront } from './gateway-rolling/front.ts';
import { RollingLoad } from './gateway-rolling/load.ts';
import { gapsOf, restart, urlOf } from './gateway-rolling.ts';
import { seededRandom } from './random.ts';
import { folderOption, type TrialOption } from './trial-options.ts';
import { upgradeReport, upgradeWithKills } from './upgrade/command.ts';
import { firstStartOf, releaseFolder, thisFolder } from './upgrade/release.ts';

interface UpgradeOptions extends TrialRun {
  /** Each goes up and back. */
  readonly trials: number;
  readonly perSecond: number;
  readonly subscriptions: number;
  /** Must be accessible to the user of the embedded servers. */
  readonly folder: string;
  /** The installed release to begin with. */
  readonly release: string;
  readonly labFolder?: string;
}

interface UpgradeResult {
  readonly seed: number;
  readonly trials: number;
  readonly requests: number;
  /** Requests without an answer, or with errors. */
  readonly failedRequests: number;
  readonly calls: number;
  /** Acknowledged calls that the journal or the device does not have, and changes that were answered and not made. */
  readonly lost: number;
  /** Calls that the device received twice, and changes that were made more often than they were answered. */
  readonly repeated: number;
  /** Answers to calls that the retry contract does not allow, and calls without an answer or a final state. */
  readonly unanswered: number;
  /** Events that a subscription missed, got twice or got in the wrong order, and subscriptions that ended. */
  readonly eventGaps: number;
  readonly deliveries: number;
  readonly restarts: number;
  /** Of `tidegate upgrade`, amid its migrations. */
  readonly kills: number;
  readonly seconds: number;
  readonly machineLoad: number;
  readonly findings: readonly string[];
}

const from = '0.2.0';
const installed: TrialOption<string> = {
  help: `the folder of an installed ${from} (default: made once, from this clone's history, in the user's cache)`,
  read: (given, { progress }) => given ?? releaseFolder(from, progress),
};

export const trialUpgrade = defineTrial({
  counts: {
    trials: { help: 'upgrades, each with its way back', usual: 3, full: 50 },
    perSecond: { help: 'requests in a second', usual: 30, full: 100 },
    subscriptions: { help: 'subscriptions', usual: 20, full: 200 },
  },
  options: { folder: folderOption('the logs of all processes'), release: installed },
  run: (given) => runUpgrade(given),
  mustBeZero: ['failedRequests', 'lost', 'repeated', 'unanswered', 'eventGaps'],
});

const readyDeadlineMs = 60_000;
const endDeadlineMs = 45_000;

export async function runUpgrade(options: UpgradeOptions): Promise<UpgradeResult> {
  const { seed, trials, perSecond, subscriptions, folder, release, signal, progress = () => {} } = options;
  const startedMs = performance.now();
  await using cleanup = new AsyncDisposableStack();
  const own = <T extends { stop(): Promise<unknown> }>(resource: T): T => {
    cleanup.defer(async () => void (await resource.stop()));
    return resource;
  };
  const names = subgraphRows.map(({ name }) => name);
  const upgraded = new Set<string>();
  const system = own(
    await startWholeSystem({
      ...{ folder, lab: true, twice: names },
      settings: { 'database.connections': 8 },
      program: (name) => (upgraded.has(name) ? thisFolder : release),
      firstStart: (common, place) => firstStartOf(release, [...names, 'worker'], common, place),
      ...(options.labFolder === undefined ? {} : { labFolder: options.labFolder }),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  const gateways = ['gateway-1', 'gateway-2'].map((name) => ({ name, url: urlOf(system, name) }));
  const front = own(
    await startFront(
      folder,
      gateways.map(({ url }) => url),
    ),
  );
  const { token, projectId } = system;
  const tail = new DeviceTail(system.lab.deviceLogPath);
  cleanup.defer(() => tail.close());
  const client = new GatewayClient({ url: front.url, token });
  const calls = new CallStream({ client, random: seededRandom(seed), clients: 2, pauseMs: 500 });
  cleanup.defer(() => calls.finish(0));
  if ((await calls.untilReady(readyDeadlineMs)) === undefined) throw new Error('the system accepts no calls');
  const load = new RollingLoad({ url: front.url, token, perSecond, random: seededRandom(seed + 1) });
  cleanup.defer(() => load.close());
  await load.prepare();
  const cursors = new CursorSealer(await openKeyring(keyFilePath(join(folder, 'keys'), 'subgraphs')));
  const readers = Array.from({ length: subscriptions }, (_, index) => {
    const common = { url: front.url, token, cursors, random: seededRandom(seed + 2 + index) };
    const { fields, filter } = everything;
    return {
      plan: everything,
      reader: own(new GatewayReader({ ...common, filter, fields, after: undefined, longestMs: undefined })),
    };
  });
  await Promise.all(readers.map(({ reader }) => reader.start()));

  load.start();
  calls.start();
  const db = new Database({ connection: system.connection, connectionLimit: 2 });
  cleanup.defer(() => db.close());
  const findings: string[] = [];
  // As in docs/operating.md: host by host, because gateways of 0.2.0 use a restarted process only after some seconds; then the gateways, which are
  // not ready in front of older subgraphs.
  const of = (host: number) => names.map((name) => `${name}-${host}`);
  const parts = [...of(1), 'worker', ...of(2), ...gateways.map(({ name }) => name)];
  let restarts = 0;
  const turn = async (order: readonly string[], up: boolean) => {
    for (const name of order) {
      signal?.throwIfAborted();
      if (up) upgraded.add(name);
      else upgraded.delete(name);
      const before = load.failed;
      await restart(system, name, gateways);
      restarts += 1;
      const step = `${name} runs ${up ? 'this version' : from}`;
      progress(`${step}: ${load.requests} requests, ${load.failed} failed`);
      if (load.failed > before) findings.push(`${step}: ${load.failed - before} failed`);
    }
  };
  const settings = join(folder, 'first-start.json');
  const expectFinished = async (...flags: readonly string[]) => {
    const { state, left, removing, canGoBack } = await upgradeReport(settings, ...flags);
    if (state !== 'FINISHED' || left.length > 0 || removing.length > 0 || !canGoBack)
      findings.push(`upgrade ${flags} is ${state}: left ${left.map(describeProcess)}, removing ${removing}`);
  };
  const random = seededRandom(seed - 1);
  let kills = 0;
  let done = 0;
  for (; done < trials && options.timeIsUp?.() !== true; done += 1) {
    // Later on the tables are there, and nothing is left to kill it in.
    kills += await upgradeWithKills(settings, db, random);
    await turn(parts, true);
    await expectFinished();
    await turn(parts.toReversed(), false);
    await expectFinished('--back');
  }
  await load.finish();
  await calls.finish(endDeadlineMs);
  await untilEnded(db, endDeadlineMs);
  await tail.read();
  const verdict = judge({
    ...{ answers: calls.answers, journal: await readJournal(db, 'call-') },
    keys: await readKeys(
      db,
      calls.answers.map(({ key }) => key),
    ),
    ...{ device: tail.records, disturbances: tail.disturbances },
    lives: system.parts.flatMap((part) => part.lives),
  });
  const eventGaps = await gapsOf(readers, await sequencedTable(db, projectId), findings);
  findings.push(...load.faults, ...verdict.findings, ...calls.unexpected);
  return {
    ...{ seed, trials: done, requests: load.requests, failedRequests: load.failed, calls: verdict.operations },
    lost: verdict.lost,
    repeated: verdict.repeated + (await load.repeated()),
    unanswered: verdict.unanswered + verdict.notFinal + calls.unexpected.length,
    ...{ eventGaps, restarts, kills, findings },
    deliveries: readers.reduce((sum, { reader }) => sum + reader.received, 0),
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
}

const everything: ReaderPlan = { filter: {}, fields: '', wants: () => true, fromNow: true, steady: true };
