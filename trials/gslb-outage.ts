// `npm run trials -- gslb-outage`: every part of GSLB fails while endpoints die and recover. It uses real checkers, conductors, workers,
// name servers, a gateway, MariaDB, Redis and PowerDNS. One outside client queries each name server continuously, and another follows the
// graph. At the end, each name server must answer with the live endpoints, and the history and the followed events must explain the way to
// that state.
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { faults as allFaults, type Fault } from './gslb-outage/faults.ts';
import { Site, type SiteSize } from './gslb-outage/site.ts';
import { type Wrong, wrongNow } from './gslb-outage/verdict.ts';
import { type Random, seededRandom } from './random.ts';
import { entriesOf } from './trial-options.ts';

interface OutageOptions extends TrialRun {
  readonly trials: number;
  /** Default: two of each process, and four endpoints. */
  readonly size?: Partial<SiteSize>;
  /** Default: all. */
  readonly faults?: Readonly<Record<string, Fault>>;
  /** The time after the end of a fault until everything must be right. */
  readonly settleMs?: number;
  readonly answerMs?: number;
}

interface OutageFigures {
  trials: number;
  unanswered: number;
  emptyAnswers: number;
  deadAfterConverged: number;
  lostFlips: number;
  diverged: number;
  takeoverP99Ms: number | null;
}

export const trialGslbOutage = defineTrial({
  counts: { trials: { help: 'faults, one after the other', usual: 30, full: 300 } },
  options: { faults: entriesOf('faults', allFaults) },
  run: runOutageTrials,
  mustBeZero: ['unanswered', 'emptyAnswers', 'deadAfterConverged', 'lostFlips', 'diverged'],
});

const usualSize: SiteSize = { endpoints: 4, conductors: 2, workers: 2, nameServers: 2, checkers: 2, gateway: true };
/** A fault that lasts longer is reported. */
const slowMs = 5_000;
/** Longer than a claim of work. */
const usualSettleMs = 60_000;
/** By then a resolver has retried. */
const usualAnswerMs = 5_000;

export async function runOutageTrials(
  options: OutageOptions,
): Promise<OutageFigures & { readonly questions: number; readonly findings: readonly string[] }> {
  const { progress = () => undefined, timeIsUp = () => false, settleMs = usualSettleMs } = options;
  const isEnding = () => options.signal?.aborted === true;
  const random = seededRandom(options.seed);
  const figures: Record<Wrong['figure'], number> = { deadAfterConverged: 0, lostFlips: 0, diverged: 0 };
  const [findings, takeovers]: [string[], number[]] = [[], []];
  let trials = 0;
  let name = 'start';
  const found = (what: string) => {
    findings.push(`${name}: ${what}`);
    progress(what);
  };
  const tookOver = (ms: number) => {
    takeovers.push(ms);
    progress(`another took over after ${Math.round(ms)} ms`);
  };
  await using cleanup = new AsyncDisposableStack();
  const site = cleanup.adopt(
    await Site.open({ ...usualSize, ...options.size, answerMs: options.answerMs ?? usualAnswerMs, found }),
    (each) => each.close(),
  );
  const faults = options.faults ?? allFaults;
  while (trials < options.trials && !timeIsUp() && !isEnding()) {
    const fault = random.pick(Object.keys(faults));
    name = `${trials}: ${fault}`;
    const begin = faults[fault];
    const end = await begin?.({ site, random, tookOver });
    await sleep(random.integer(0, 1_000));
    progress(`${name}; ${await change(site, random)}`);
    await sleep(random.integer(0, 6_000));
    await end?.();
    if (random.next() < 0.5) progress(`then ${await change(site, random)}`);
    trials += 1;
    const overMs = performance.now();
    let wrong = await wrongNow(site);
    let tellMs = slowMs;
    while (wrong.length > 0 && performance.now() - overMs < settleMs && !isEnding()) {
      await sleep(50);
      wrong = await wrongNow(site);
      if (performance.now() - overMs < tellMs) continue;
      for (const { what } of wrong) progress(`after ${tellMs} ms: ${what}`);
      tellMs *= 2;
    }
    // A trial that was cut short proves nothing.
    if (isEnding() && wrong.length > 0) {
      trials -= 1;
      break;
    }
    for (const { figure, what } of wrong) {
      figures[figure] += 1;
      found(what);
    }
    progress(`recovered after ${Math.round(performance.now() - overMs)} ms`);
  }
  const { unanswered, emptyAnswers, questions } = site.outside;
  const takeoverP99Ms = takeovers.length === 0 ? null : Math.round(p99(takeovers));
  return { trials, unanswered, emptyAnswers, ...figures, takeoverP99Ms, questions, findings };
}

/** One endpoint dies or recovers; one is always alive. Returns a description. */
async function change(site: Site, random: Random): Promise<string> {
  const living = site.endpoints.filter(({ lives }) => lives);
  const dead = site.endpoints.filter(({ lives }) => !lives);
  const dies = living.length > 1 && (dead.length === 0 || random.next() < 0.5);
  const endpoint = random.pick(dies ? living : dead);
  await (dies ? endpoint.die() : endpoint.start());
  return `${endpoint.address} ${dies ? 'dies' : 'returns'}`;
}

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
}
