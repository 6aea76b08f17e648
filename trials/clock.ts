// `npm run trials -- clock`: the trial of wrong clocks. The clock of the database's host, of object storage clusters, of a name server, or
// of all of them is stepped during calls and while load balancers, S3 and signed DNS are in use, and then corrected. The evidence is the
// device's own log, the rows, clients of the load balancer, BIND's validator, and users at every cluster.
import { Balancers } from './clock/balancers.ts';
import { Clusters } from './clock/clusters.ts';
import { ControlPlane } from './clock/control-plane.ts';
import { NameServer } from './clock/name-server.ts';
import { randomStep, type Step, type Target } from './clock/steps.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { type Random, seededRandom } from './random.ts';
import { folderOption } from './trial-options.ts';

interface ClockTrialsOptions extends TrialRun {
  readonly trials: number;
  /** The folder is accessible to the user of the embedded servers. */
  readonly folder: string;
  /** Default: random steps. */
  readonly steps?: readonly Step[];
  /** Breaks something at the end of each trial, which the judge must detect. */
  readonly sabotage?: boolean;
}

interface ClockTrialsResult {
  readonly seed: number;
  readonly trials: number;
  /** Calls that the device received more than once. */
  readonly repeatedCalls: number;
  /** Calls that did not succeed within a minute although only a clock was wrong. */
  readonly failedCalls: number;
  /** Events, operations and idempotency keys that were deleted. */
  readonly lostRows: number;
  /** Nodes of a load balancer that were replaced. */
  readonly replacedNodes: number;
  /** Requests that the load balancer did not answer. */
  readonly failedRequests: number;
  /** Changes of the load balancer that did not reach its nodes within a minute. */
  readonly lateChanges: number;
  /** Signed answers that are invalid after the clock is corrected. */
  readonly bogusAnswers: number;
  /** Names in object storage that some cluster can't write, delete or list after the clock is corrected. */
  readonly unwritableNames: number;
  /** Trials after which the clusters' replicas did not become equal. */
  readonly diverged: number;
  /** UDP queries without a complete answer. */
  readonly droppedAnswers: number;
}

export const trialClock = defineTrial({
  counts: { trials: { help: 'steps of clocks', usual: 40, full: 100 } },
  options: { folder: folderOption('the data of all servers') },
  run: runClockTrials,
  mustBeZero: [
    ...(['repeatedCalls', 'failedCalls', 'lostRows', 'replacedNodes', 'failedRequests', 'lateChanges'] as const),
    ...(['bogusAnswers', 'unwritableNames', 'diverged', 'droppedAnswers'] as const),
  ],
});

type Sums = { -readonly [Name in keyof Omit<ClockTrialsResult, 'seed'>]: number };

export async function runClockTrials(options: ClockTrialsOptions): Promise<ClockTrialsResult> {
  const { seed, folder, signal, timeIsUp = () => false, progress = () => undefined } = options;
  const random = seededRandom(seed);
  await using cleanup = new AsyncDisposableStack();
  const places: Places = {
    controlPlane: await ControlPlane.start(folder, cleanup),
    balancers: await Balancers.start(folder, cleanup),
    clusters: await Clusters.start(cleanup),
    nameServer: await NameServer.start(folder, cleanup),
  };
  const sums: Sums = {
    ...{ trials: 0, repeatedCalls: 0, failedCalls: 0, lostRows: 0 },
    ...{ replacedNodes: 0, failedRequests: 0, lateChanges: 0 },
    ...{ bogusAnswers: 0, unwritableNames: 0, diverged: 0, droppedAnswers: 0 },
  };
  while (sums.trials < options.trials && !timeIsUp() && signal?.aborted !== true) {
    const step = options.steps?.[sums.trials] ?? randomStep(random);
    const found = await runOne(places, step, {
      random,
      name: `trial-${sums.trials}`,
      sabotage: options.sabotage === true,
      progress,
    });
    sums.trials += 1;
    for (const [name, count] of Object.entries(found)) sums[name as keyof typeof found] += count;
    progress(`${sums.trials} of ${options.trials}: ${JSON.stringify({ ...step, ...found })}`);
  }
  return { seed, ...sums };
}

/** The number of clusters with a wrong clock. */
const clustersOf: Readonly<Record<Target, number>> = {
  ...{ database: 0, 'name server': 0 },
  ...{ 'one cluster': 1, 'two clusters': 2, site: 3 },
};

interface Places {
  readonly controlPlane: ControlPlane;
  readonly balancers: Balancers;
  readonly clusters: Clusters;
  readonly nameServer: NameServer;
}

interface OneTrial {
  readonly random: Random;
  readonly name: string;
  readonly sabotage: boolean;
  readonly progress: (line: string) => void;
}

async function runOne(
  { controlPlane, balancers, clusters, nameServer }: Places,
  step: Step,
  { random, name, sabotage, progress }: OneTrial,
) {
  const { target, seconds, restarts } = step;
  const inOrder = random.shuffle(clusters.site.clusters);
  const stepped = inOrder.slice(0, clustersOf[target]);
  const [hasControlPlane, hasNameServer] = [target === 'database', target === 'name server'].map(
    (is) => is || target === 'site',
  );
  const stepTo = async (to: number) => {
    nameServer.aheadMs = hasNameServer === true ? to * 1_000 : 0;
    if (hasControlPlane === true) await Promise.all([controlPlane.stepTo(to), balancers.stepTo(to)]);
    await clusters.stepTo(stepped, to, restarts);
    if (restarts && hasControlPlane === true) await Promise.all([controlPlane.restart(), balancers.restart()]);
    if (restarts && hasNameServer === true) await nameServer.restart();
  };
  const calls = ['before', 'across', 'during', 'after'].map((when) => `${name}-${when}`);
  const [before = '', across = '', during = '', after = ''] = calls;
  let failedCalls = 0;
  const call = async (one: string) => {
    const said = await controlPlane.call(one);
    if (said === undefined) return;
    failedCalls += 1;
    progress(`${one}: ${said}`);
  };
  let lateChanges = 0;
  const change = async () => {
    if (!(await balancers.change())) lateChanges += 1;
  };
  balancers.failed();
  await call(before);
  await clusters.use(`${name}-before`);
  // These calls are in flight when the clock steps, unless their relay is stopped.
  const underWay = restarts ? Promise.resolve() : call(across);
  await stepTo(seconds);
  await underWay;
  await call(during);
  await change();
  await clusters.use(`${name}-before`);
  await clusters.use(`${name}-during`);
  // Signatures made now may be cached.
  await nameServer.bogus();
  let lostRows = await controlPlane.lostRows();
  await stepTo(0);
  await call(after);
  await change();
  if (sabotage) {
    await controlPlane.harm(before);
    await balancers.killNode();
    nameServer.aheadMs = 40 * 86_400_000;
  }
  lostRows += await controlPlane.lostRows();
  // Repeats each key, whose call may act only once.
  for (const each of restarts ? [before, during, after] : calls) await call(each);
  const droppedAnswers = await nameServer.dropped();
  const bogusAnswers = await nameServer.bogus();
  let unwritableNames = 0;
  for (const when of ['before', 'during']) unwritableNames += await clusters.unwritable(`${name}-${when}`);
  const failedRequests = balancers.failed();
  for (const each of failedRequests) progress(`a request to ${each}`);
  return {
    repeatedCalls: calls.reduce((sum, each) => sum + controlPlane.repeated(each), 0),
    ...{ failedCalls, lostRows, bogusAnswers, unwritableNames, lateChanges },
    ...{ replacedNodes: await balancers.replaced(), failedRequests: failedRequests.length },
    ...{ diverged: Number(await clusters.diverged()), droppedAnswers },
  };
}
