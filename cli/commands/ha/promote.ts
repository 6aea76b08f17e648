// `tidegate ha promote --lossy`.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, exitCodes, Interruption, UsageError } from '../../failures.ts';
import { flag, integer, needed, text } from '../../option.ts';
import { hostVerb, statusWithin, waitOption } from './cluster-verb.ts';

const usualWaitSeconds = 30;
const pauseMs = 300;

export const promote = hostVerb({
  summary:
    'Make a host the primary although it lacks acknowledged writes, after the permanent loss of the last primary.',
  options: {
    to: needed(text('HOST', 'The new primary.')),
    lossy: flag('Acknowledged writes are lost.'),
    'accept-loss': needed(
      integer('N', 'Number of transactions that the host lacks; a refusal shows the right one.', {
        least: 0,
        most: Number.MAX_SAFE_INTEGER,
      }),
    ),
    wait: waitOption(`it is done (${usualWaitSeconds}); after that the wish is taken back`),
  },
  async run({ cluster, asker, options, printer, signal }) {
    const { to, lossy, wait: seconds = usualWaitSeconds, 'accept-loss': acceptedLoss } = options;
    if (!lossy)
      throw new UsageError(
        'without a loss a host is promoted automatically, or by "tidegate ha switchover": give --lossy',
      );
    const asked = await cluster.promoteLossy(to, acceptedLoss, asker);
    const endsAtMs = performance.now() + seconds * 1_000;
    for (;;) {
      const { primary = null, epoch = 0 } = (await statusWithin(cluster, endsAtMs)) ?? {};
      if (primary === to && epoch > asked.epoch) {
        if (options.json) return printer.json({ primary, epoch });
        return printer.line(`${primary} is the primary. Writes were lost: see "tidegate ha history".`);
      }
      if (primary !== null && epoch > asked.epoch)
        throw new CommandFailure(`${primary} has become the primary instead, without a loss`);
      if (performance.now() >= endsAtMs) {
        await cluster.withdraw(`it had not begun after ${seconds} s, and was taken back`, asked.id);
        throw new CommandFailure(
          `not done within ${seconds} s, and taken back: ${to} is not the primary; see the log of its agent`,
          exitCodes.late,
        );
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw new Interruption('the promotion may still happen; see "tidegate ha status"');
      });
    }
  },
});
