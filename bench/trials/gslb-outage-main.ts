// `npm run trials -- gslb-outage`: every part of GSLB fails while endpoints die and return, as one JSON line.
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { chosenFaults, faultsOption } from './chosen-faults.ts';
import { faults } from './gslb-outage/faults.ts';
import { runOutageTrials } from './gslb-outage.ts';

const counts = { trials: { help: 'faults, one after the other', usual: 30, full: 300 } };

export const trialGslbOutage = defineBench({
  counts,
  options: faultsOption,
  run,
});

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, timeIsUp, progress, signal, options } = context;
  const { trials } = context.counts;
  const chosen = chosenFaults(faults, options.faults);
  const whole = await runOutageTrials({ seed, timeIsUp, progress, signal, trials, faults: chosen });
  return { figures: { ...whole }, ran: { trials: whole.trials } };
}
