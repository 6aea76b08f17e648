// Who leads after the loss of a primary, the member in sync or the last primary: both have every acknowledged write, so the one that can open writes
// sooner should. A member that has much to apply leaves the lead to a last primary that is back.

import type { Limits } from './limits.ts';
import type { HostReport, View } from './view.ts';

type Shared = NonNullable<View['shared']>;
type Sync = NonNullable<Shared['sync']>;
type Known = Pick<View, 'me' | 'nowMs' | 'drainsInMs' | 'failedStartAtMs'> & {
  readonly shared: Pick<Shared, 'reports' | 'wishes' | 'backAtMs'> & { readonly sync: Sync };
};

/** Whether this member should leave the lead to the last primary. A person's wish for this host outweighs that. */
export function leavesToLastPrimary(known: Known, { drainMs, reportMs }: Limits): boolean {
  const { me, nowMs, drainsInMs = 0, shared } = known;
  const { sync, wishes, backAtMs = {} } = shared;
  if (drainsInMs <= drainMs || wishes.switchoverTo === me || wishes.lossy !== undefined) return false;
  const backMs = backAtMs[sync.primary];
  return backMs !== undefined && nowMs - backMs < reportMs;
}

/** Whether the member has so much to apply that this host, the last primary, leads sooner. */
export function leadsSooner(known: Known, limits: Limits): boolean {
  const { nowMs, shared } = known;
  const [member] = shared.sync.members;
  const report = member && shared.reports[member.host];
  if (report === undefined || report.incarnation !== member?.incarnation || hasFailedToStart(known, limits))
    return false;
  return nowMs - report.heardAtMs < limits.reportMs && drainsLong(report, limits);
}

/** Whether the server of this host ended soon after a start, so that others should not wait for it. */
export function hasFailedToStart(
  { nowMs, failedStartAtMs }: Pick<View, 'nowMs' | 'failedStartAtMs'>,
  { startAgainMs }: Limits,
): boolean {
  return failedStartAtMs !== undefined && nowMs - failedStartAtMs < startAgainMs;
}

export function drainsLong({ drainsInMs = 0 }: Pick<HostReport, 'drainsInMs'>, { drainMs }: Limits): boolean {
  return drainsInMs > drainMs;
}
