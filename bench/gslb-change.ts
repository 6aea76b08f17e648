// How soon DNS answers follow the death of an endpoint: from its death until all name servers answer without it, compared with a minimal
// prober that answers itself. It also compares the time from the last vote to the answer with the time from a mutation to its event.
import { loadavg } from 'node:os';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { deathsOf } from './gslb-change/deaths.ts';
import { pipeline } from './gslb-change/pipeline.ts';

const counts = {
  deaths: {
    help: 'of an endpoint for our name servers and as many for the bare prober, in turn, in each of three cases',
    usual: 20,
    full: 100,
  },
  turns: { help: 'last votes, and as many changes of a project', usual: 100, full: 300 },
};

export const benchGslbChange = defineBench({ counts, run });

const cases = {
  p50ToFloor1s: { delayMs: 1_000, vantagePoints: ['eu'] },
  p50ToFloor250ms: { delayMs: 250, vantagePoints: ['eu'] },
  quorumToFloor1s: { delayMs: 1_000, vantagePoints: ['eu', 'us', 'ap'] },
};

async function run({ counts: given, progress, signal }: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  const ratios: Record<string, number> = {};
  const shown: Record<string, object> = {};
  let wrongAnswers = 0;
  for (const [name, each] of Object.entries(cases)) {
    const { changesMs, floorsMs, wrongAnswers: wrong } = await deathsOf({ ...each, deaths: given.deaths, signal });
    const [changeP50, floorP50] = [percentile(changesMs, 0.5), percentile(floorsMs, 0.5)];
    ratios[name] = rounded(changeP50 / floorP50, 2);
    shown[name] = { changeP50Ms: rounded(changeP50, 0), floorP50Ms: rounded(floorP50, 0), load: load() };
    wrongAnswers += wrong;
    progress(`${name}: ${JSON.stringify(shown[name])}`);
  }
  const { answersMs, eventsMs } = await pipeline(given.turns, signal);
  const [answerP50, eventP50] = [percentile(answersMs, 0.5), percentile(eventsMs, 0.5)];
  return {
    figures: {
      ...{ ...ratios, pipelineToEvent: rounded(answerP50 / eventP50, 2), wrongAnswers },
      ...{ answerP50Ms: rounded(answerP50, 1), eventP50Ms: rounded(eventP50, 1), ms: shown, machineLoad: load() },
    },
    faults: wrongAnswers > 0 ? [`${wrongAnswers} wrong answers`] : [],
  };
}

function load(): number {
  return rounded(loadavg()[0] ?? Number.NaN, 1);
}
