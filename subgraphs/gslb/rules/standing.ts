// Whether pools and a GSLB serve, from their members. Pure.
import type { MemberStanding } from './member.ts';
import type { OperatingStatus } from './states.ts';

interface Standing {
  /** Null if there is no verdict yet. */
  readonly status: OperatingStatus | null;
  /** Why it does not fully serve. Null if it does. */
  readonly message: string | null;
}

type Member = Pick<MemberStanding, 'up' | 'upIn' | 'withheld' | 'status'>;

interface PoolInput {
  readonly minUp: number;
  readonly members: readonly Member[];
}

/** Withheld members count as available as long as others are enough. */
export function poolStanding({ minUp, members }: PoolInput): Standing {
  if (members.length === 0) return { status: 'ERROR', message: 'it has no member' };
  const wanted = members.filter(({ withheld }) => !withheld);
  const serving = wanted.filter(({ up }) => up);
  if (serving.length < minUp) {
    if (wanted.length > 0 && wanted.every(({ status }) => status === null))
      return { status: null, message: 'no member has a verdict yet' };
    return { status: 'OFFLINE', message: `${serving.length} of ${wanted.length} members serve, and ${minUp} must` };
  }
  const half = serving.filter(({ upIn }) => Object.values(upIn).includes(false)).length;
  if (serving.length < wanted.length || half > 0)
    return {
      status: 'DEGRADED',
      message: `${serving.length - half} of ${wanted.length} members serve for all clients`,
    };
  return { status: 'ONLINE', message: null };
}

interface GslbInput {
  readonly pools: readonly Standing[];
  /** Reason why its answers are not as desired (the backend refuses them, a server is lost). Null if they are. */
  readonly fault: string | null;
  /** A status that was once given is never taken back. */
  readonly before: OperatingStatus | null;
}

export function gslbStanding({ pools, fault, before }: GslbInput): Standing {
  if (fault !== null) return { status: 'ERROR', message: fault };
  if (pools.every(({ status }) => status === 'ERROR')) return { status: 'ERROR', message: 'it has no member' };
  const serves = pools.some(({ status }) => status === 'ONLINE' || status === 'DEGRADED');
  if (!serves) {
    const judged = before !== null || pools.some(({ status }) => status === 'OFFLINE');
    return judged
      ? { status: 'OFFLINE', message: 'no pool has enough serving members' }
      : { status: null, message: 'no member has a verdict yet' };
  }
  const bad = pools.find(({ status }) => status !== 'ONLINE');
  return bad === undefined ? { status: 'ONLINE', message: null } : { status: 'DEGRADED', message: bad.message };
}
