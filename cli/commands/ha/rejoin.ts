// `tidegate ha rejoin`.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { hostVerb, statusWithin, waitOption } from './cluster-verb.ts';

const pauseMs = 500;

export const rejoin = hostVerb({
  summary: 'Let a lost primary return as the copy of the present one (ha.rejoin: manual).',
  takes: ['HOST'],
  options: { wait: waitOption('the host is in sync') },
  async run({ names, cluster, asker, options, printer, signal }) {
    const [host = ''] = names;
    await cluster.rejoin(host, asker);
    const endsAtMs = performance.now() + (options.wait ?? 0) * 1_000;
    for (;;) {
      const seen = await statusWithin(cluster, endsAtMs);
      const found = seen?.hosts.find(({ name }) => name === host);
      const isDone = found?.state === 'IN_SYNC' || found?.state === 'PRIMARY';
      if (isDone || options.wait === undefined) {
        const state = found?.state ?? 'RETURNING';
        return options.json ? printer.json({ host, state }) : printer.line(`${host} returns: it is ${state} now.`);
      }
      if (performance.now() >= endsAtMs)
        throw new CommandFailure(
          `not in sync within ${options.wait} s: ${found?.returning ?? 'look at "tidegate ha status"'}`,
          exitCodes.late,
        );
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw new Interruption('the host returns nevertheless; see "tidegate ha status"');
      });
    }
  },
});
