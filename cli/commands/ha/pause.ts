// `tidegate ha pause` and `resume`.
import { hostVerb } from './cluster-verb.ts';

export const pause = hostVerb({
  summary: 'Promote nothing until "resume": a lost primary is waited for.',
  options: {},
  async run({ cluster, asker, options, printer }) {
    await cluster.pause(asker);
    await (options.json ? printer.json({ paused: true }) : printer.line('Promotion is paused.'));
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
