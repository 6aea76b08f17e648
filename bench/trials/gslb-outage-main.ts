// `npm run trials -- gslb-outage`: every part of GSLB fails while endpoints die and return, as one JSON line.
import { ArgumentError } from '../arguments.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { faults } from './gslb-outage/faults.ts';
import { runOutageTrials } from './gslb-outage.ts';

const counts = { trials: { help: 'faults, one after the other', usual: 30, full: 300 } };

export const trialGslbOutage = defineBench({
  counts,
  options: { faults: 'their names, separated by commas (default all)' },
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, timeIsUp, progress, signal, options } = context;
  const whole = await runOutageTrials({
    ...{ seed, timeIsUp, progress, signal, trials: context.counts.trials, faults: chosen(options.faults) },
  });
  return { figures: { ...whole }, ran: { trials: whole.trials } };
}

function chosen(given: string | undefined): typeof faults {
  if (given === undefined) return faults;
  return Object.fromEntries(
    given.split(',').map((name) => {
      const fault = faults[name];
      if (fault === undefined) throw new ArgumentError(`--faults: there is no '${name}'`);
      return [name, fault] as const;
    }),
  );
}
