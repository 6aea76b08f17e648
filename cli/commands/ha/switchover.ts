// `tidegate ha switchover`.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { text } from '../../option.ts';
import { hostVerb, statusWithin, waitOption } from './cluster-verb.ts';

const usualWaitSeconds = 30;
const pauseMs = 300;
const oneCopyNote =
  ' Its next write has one copy until another host is in sync: "tidegate ha status --wait 120" waits for that.';

export const switchover = hostVerb({
  summary: 'Make the other data host the primary, without losing a write.',
  options: {
    to: text('HOST', 'The new primary; default: the host in sync.'),
    wait: waitOption(`it is done (${usualWaitSeconds}); after that the wish is taken back`),
  },
  async run({ cluster, asker, options, printer, signal }) {
    const seconds = options.wait ?? usualWaitSeconds;
    const asked = await cluster.switchover(options.to, asker);
    const endsAtMs = performance.now() + seconds * 1_000;
    for (;;) {
      const seen = await statusWithin(cluster, endsAtMs);
      const { primary = null, epoch = 0, copies = 0, switchoverTo = null } = seen ?? {};
      if (primary === asked.to && epoch > asked.epoch) {
        if (options.json) return printer.json({ primary, epoch, copies });
        return printer.line(`${primary} is the primary.${copies < 2 ? oneCopyNote : ''}`);
      }
      if (primary !== null && epoch > asked.epoch)
        throw new CommandFailure(`${primary} has become the primary instead: see "tidegate ha history"`);
      if (performance.now() >= endsAtMs) {
        if (seen === undefined || switchoverTo !== null)
          await cluster.withdraw(`it had not begun after ${seconds} s, and was taken back`, asked.id);
        throw new CommandFailure(
          `not done within ${seconds} s, and taken back: ${asked.to} is not the primary`,
          exitCodes.late,
        );
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw new Interruption('the switchover may still happen; see "tidegate ha status"');
      });
    }
  },
});
