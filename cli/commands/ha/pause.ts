// `tidegate ha pause` and `resume`.
import { integer } from '../../option.ts';
import { hostVerb } from './cluster-verb.ts';

export const pause = hostVerb({
  summary: 'Promote nothing until "resume": a lost primary is waited for.',
  options: {
    for: integer('MINUTES', 'End it by itself after so long, for example after maintenance.', {
      least: 1,
      most: 1_440,
    }),
  },
  async run({ cluster, asker, options, printer }) {
    const until = options.for === undefined ? undefined : new Date(Date.now() + options.for * 60_000);
    await cluster.pause(asker, until);
    const ends = until?.toISOString() ?? null;
    if (options.json) return printer.json({ paused: true, until: ends });
    await printer.line(`Promotion is paused${ends === null ? '' : ` until ${ends}`}. "tidegate ha resume" ends that.`);
  },
});

export const resume = hostVerb({
  summary: 'End "pause".',
  options: {},
  async run({ cluster, asker, options, printer }) {
    await cluster.resume(asker);
    await (options.json ? printer.json({ paused: false }) : printer.line('Promotion is resumed.'));
  },
});
