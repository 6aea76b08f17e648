// `tidegate ha switchover`.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, exitCodes, Interruption, UsageError } from '../../failures.ts';
import { flag, text, time } from '../../option.ts';
import { type HostCall, hostVerb, statusWithin, waitOption } from './cluster-verb.ts';

const usualWaitSeconds = 30;
const pauseMs = 300;
const oneCopyNote =
  ' Its next write has one copy until another host is in sync: "tidegate ha status --wait 120" waits for that.';

const options = {
  to: text('HOST', 'The new primary; default: the host in sync.'),
  wait: waitOption(`it is done (${usualWaitSeconds}); after that the wish is taken back`),
  at: time('Schedule it for this time, in UTC. The hosts begin it then, if they are fit for it.'),
  'accept-no-failover': flag('The new primary may be tagged noFailover.'),
  cancel: flag('Cancel the scheduled switchover.'),
} as const;

export const switchover = hostVerb({
  summary: 'Make the other data host the primary, without losing a write.',
  options,
  async run(call) {
    const { cluster, asker, options: given, printer, signal } = call;
    if (given.cancel) return cancelScheduled(call);
    if (given.at !== undefined) return schedule(call, given.at);
    const seconds = given.wait ?? usualWaitSeconds;
    const asked = await cluster.switchover(given.to, asker, { acceptNoFailover: given['accept-no-failover'] });
    const endsAtMs = performance.now() + seconds * 1_000;
    for (;;) {
      const seen = await statusWithin(cluster, endsAtMs);
      const { primary = null, epoch = 0, copies = 0, switchoverTo = null } = seen ?? {};
      if (primary === asked.to && epoch > asked.epoch) {
        if (given.json) return printer.json({ primary, epoch, copies });
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

type SwitchoverCall = HostCall<typeof options>;

async function schedule({ cluster, asker, options: given, printer }: SwitchoverCall, at: string): Promise<void> {
  if (given.wait !== undefined) throw new UsageError('--wait does not go with --at: the command does not wait for it');
  const scheduled = await cluster.schedule(given.to, new Date(at), asker, given['accept-no-failover']);
  if (given.json) return printer.json({ scheduled });
  await printer.line(
    `A switchover to ${scheduled.to} is scheduled for ${scheduled.at}. "tidegate ha switchover --cancel" cancels it.`,
  );
}

async function cancelScheduled({ cluster, asker, options: given, printer }: SwitchoverCall): Promise<void> {
  if (given.to !== undefined || given.at !== undefined || given.wait !== undefined)
    throw new UsageError('--cancel goes with no other option: at most one switchover is scheduled');
  const cancelled = await cluster.unschedule(`cancelled by ${asker.user}@${asker.host}`, asker);
  if (given.json) return printer.json({ cancelled });
  await printer.line(`The switchover to ${cancelled.to} at ${cancelled.at} is cancelled.`);
}
