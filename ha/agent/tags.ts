// Tags of hosts, which people set: hosts that never lead by themselves, and hosts that should be in sync, and so lead, before others.

export interface HostTags {
  /** It leads only if a person asks for it. */
  readonly noFailover: boolean;
  /** The host with the highest one is kept in sync. */
  readonly priority: number;
}

export const mostPriority = 100;
export const noTags: HostTags = { noFailover: false, priority: 0 };

/** A host that failed to acknowledge must work for this long before it takes the place of the member again. */
const preferAfterMs = 60_000;

/** Of the view of an agent. */
interface Known {
  readonly nowMs: number;
  readonly failedAtMs: Readonly<Record<string, number>>;
  readonly shared: {
    readonly tags?: Readonly<Record<string, HostTags>> | undefined;
    readonly wishes: { readonly switchoverTo?: string | undefined };
  };
}

/** Whether that host may lead, if it has every write. */
export function mayLead({ shared: { tags = {}, wishes } }: Pick<Known, 'shared'>, host: string): boolean {
  return tags[host]?.noFailover !== true || wishes.switchoverTo === host;
}

/** A host that never leads by itself comes after all others. */
export function priorityOf({ shared: { tags = {} } }: Pick<Known, 'shared'>, host: string): number {
  const { noFailover, priority } = tags[host] ?? noTags;
  return noFailover ? -1 : priority;
}

/** Whether the host should be in sync instead of the member. */
export function outranks(known: Known, host: string, member: string): boolean {
  const { failedAtMs, nowMs } = known;
  const hasFailed = nowMs - (failedAtMs[host] ?? Number.NEGATIVE_INFINITY) < preferAfterMs;
  return !hasFailed && priorityOf(known, host) > priorityOf(known, member);
}
