// `npm run trials -- events`: the whole proof of the event stream, as one JSON line.
import type { Bench } from '../bench.ts';
import { runEventTrials } from './events.ts';
import { numberOption } from './options.ts';

export const trialEvents: Bench = async ({ options, progress }) => {
  const seed = numberOption(options, 'seed') ?? Math.floor(Math.random() * 2 ** 31);
  const events = numberOption(options, 'events');
  progress(`seed ${seed}`);
  return { ...(await runEventTrials({ seed, progress, ...(events === undefined ? {} : { events }) })) };
};
