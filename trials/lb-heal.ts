// `npm run trials -- lb-heal`: nodes, hosts and every part of a load balancer's control plane fail in every combination and at every step
// of the healing. It uses real HAProxies, hosts, workers, MariaDB, Redis and PowerDNS. Afterwards, exactly the wanted state must exist.
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgumentError } from '../measure/arguments.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { disturbances, faultsOn, type Happening, steps, untilStep } from './lb-heal/faults.ts';
import { type Network, Site } from './lb-heal/site.ts';
import { doubles, type Fault, faultsNow } from './lb-heal/verdict.ts';
import { Watch } from './lb-heal/watch.ts';
import { seededRandom } from './random.ts';
import { oneOf } from './trial-options.ts';

interface HealOptions extends TrialRun {
  readonly trials: number;
  readonly network: Network;
  /** Default: all. */
  readonly faults?: Readonly<Record<string, Happening>>;
  /** Default: all. */
  readonly disturbances?: Readonly<Record<string, Happening>>;
  /** The time after the end of a fault until everything must be right. */
  readonly settleMs?: number;
}

type HealFigures = { trials: number } & Record<Fault['figure'], number>;

const isRoot = process.getuid?.() === 0;

export const trialLbHeal = defineTrial({
  counts: { trials: { help: 'faults, one after the other', usual: 60, full: 300 } },
  options: {
    network: oneOf('where nodes are; netns needs root', ['netns', 'loopback'], isRoot ? 'netns' : 'loopback'),
  },
  async run(given) {
    const { network } = given;
    if (network === 'netns' && !isRoot) throw new ArgumentError('--network netns needs root');
    return { ...(await runHealTrials(given)), network };
  },
  mustBeZero: ['double', 'orphans', 'wrongDns', 'emptyDns', 'stuck', 'unhealed'],
});

/** Longer than a lease, a claim, the creation of a node, and the time for which a replaced one is kept. */
const usualSettleMs = 120_000;
/** By then, the checks have noticed the fault. */
const noticeMs = 2_000;
const wantedNodes = 4;

export async function runHealTrials(
  options: HealOptions,
): Promise<HealFigures & { readonly findings: readonly string[] }> {
  const { progress = () => undefined, timeIsUp = () => false, network } = options;
  const isEnding = () => options.signal?.aborted === true;
  const random = seededRandom(options.seed);
  const figures: HealFigures = { trials: 0, double: 0, orphans: 0, wrongDns: 0, emptyDns: 0, stuck: 0, unhealed: 0 };
  const findings: string[] = [];
  await using cleanup = new AsyncDisposableStack();
  // A shared address requires separate networks for nodes.
  const withStandby = network === 'netns';
  const site = cleanup.adopt(await Site.open(network, withStandby), (each) => each.close());
  const balancerIds = [await site.create(wantedNodes)];
  if (withStandby) balancerIds.push(await site.create(2, { name: 'standby', topology: 'ACTIVE_STANDBY' }));
  const watches: Watch[] = [];
  for (const id of balancerIds) watches.push(cleanup.adopt(await Watch.start(site, id), (each) => each.stop()));
  const seenInDns = () => ({ empty: sum(watches, 'emptyDns'), wrong: sum(watches, 'wrongDns') });
  const [allFaults, allDisturbances] = [options.faults ?? faultsOn(network), options.disturbances ?? disturbances];
  while (figures.trials < options.trials && !timeIsUp() && !isEnding()) {
    const fault = random.pick(Object.keys(allFaults));
    const disturbance = random.pick(Object.keys(allDisturbances));
    const step = random.pick(Object.keys(steps));
    const balancerId = random.pick(balancerIds);
    const place = { site, balancerId, random };
    const which = balancerId === balancerIds[0] ? '' : ' of the standby';
    const name = `${figures.trials}: ${fault}${which}; ${disturbance} when ${step}`;
    progress(name);
    const startedMs = performance.now();
    const before = seenInDns();
    await Promise.all([
      allFaults[fault]?.(place),
      untilStep(place, step).then(() => allDisturbances[disturbance]?.(place)),
    ]);
    figures.trials += 1;
    const overMs = performance.now();
    await sleep(noticeMs);
    let left = await faultsNow(site, balancerIds);
    while (left.length > 0 && performance.now() - overMs < (options.settleMs ?? usualSettleMs)) {
      if (isEnding()) break;
      await sleep(100);
      left = await faultsNow(site, balancerIds);
    }
    // A trial that was cut short proves nothing.
    if (isEnding() && left.length > 0) {
      figures.trials -= 1;
      break;
    }
    const told = [...left.map(({ what }) => what), ...watches.flatMap(({ findings: its }) => its.splice(0))];
    for (const { figure } of left) figures[figure] += 1;
    const now = seenInDns();
    figures.wrongDns += now.wrong - before.wrong;
    figures.emptyDns += now.empty - before.empty;
    findings.push(...told.map((what) => `${name}: ${what}`));
    for (const what of told) progress(what);
    const seconds = (ms: number) => (ms / 1_000).toFixed(1);
    progress(`${seconds(overMs - startedMs)} s, healed after ${seconds(performance.now() - overMs)} s`);
  }
  for (const watch of watches) await watch.stop();
  const twice = (await Promise.all(balancerIds.map((id) => doubles(site, id)))).flat();
  figures.double += twice.length;
  return { ...figures, findings: [...findings, ...twice.map(({ what }) => what)] };
}

function sum(watches: readonly Watch[], figure: 'emptyDns' | 'wrongDns'): number {
  return watches.reduce((total, watch) => total + watch[figure], 0);
}
