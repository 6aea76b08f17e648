// `tidegate ha reinit`.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { flag } from '../../option.ts';
import { hostVerb, statusWithin, waitOption } from './cluster-verb.ts';

const pauseMs = 500;

export const reinit = hostVerb({
  summary: "Replace the data of a host that is not the primary by a new copy of the primary's.",
  takes: ['HOST'],
  options: {
    'accept-one-copy': flag('The host may be the only one that has every write besides the primary.'),
    wait: waitOption('the host has its new copy and follows the primary'),
  },
  async run({ names, cluster, asker, options, printer, signal }) {
    const [host = ''] = names;
    await cluster.reinit(host, asker, options['accept-one-copy']);
    const endsAtMs = performance.now() + (options.wait ?? 0) * 1_000;
    for (;;) {
      const seen = await statusWithin(cluster, endsAtMs);
      const found = seen?.hosts.find(({ name }) => name === host);
      const { state = 'RETURNING', reinit: isPending = true } = found ?? {};
      const isDone = !isPending && (state === 'IN_SYNC' || state === 'FOLLOWS');
      if (isDone || options.wait === undefined) {
        if (options.json) return printer.json({ host, state, done: isDone });
        return printer.line(
          isDone
            ? `${host} has a new copy: it is ${state} now.`
            : `${host} gets a new copy: "tidegate ha status" shows it.`,
        );
      }
      if (performance.now() >= endsAtMs)
        throw new CommandFailure(
          `not done within ${options.wait} s: ${found?.returning ?? 'look at "tidegate ha status"'}`,
          exitCodes.late,
        );
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw new Interruption('the copy is made nevertheless; see "tidegate ha status"');
      });
    }
  },
});
