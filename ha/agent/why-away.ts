// Reasons why this host is not a copy of the database now, for `ha status`.

import type { Step } from './decide.ts';
import { longestMs } from './state/apply-pace.ts';
import type { Copies } from './state/copies.ts';
import type { View } from './view.ts';

type Seen = Pick<View, 'server' | 'reign' | 'staysOut' | 'drainsInMs'> & Partial<Pick<View, 'shared'>>;

export function whyAway(
  step: Step,
  seen: Seen,
  { share, failure }: Pick<Copies, 'share' | 'failure'>,
): string | undefined {
  const { server, reign, staysOut } = seen;
  if (reign !== undefined) return whileItApplies(seen);
  if (server.state === 'copying') return share === 1 ? 'a copy is prepared' : `a copy: ${Math.floor(share * 100)} %`;
  const receives = server.state === 'up' && server.replica?.receiving === true;
  if (receives && staysOut !== true) return undefined;
  if (step.kind === 'clone' && failure !== undefined) return failure;
  return step.kind === 'wait' ? step.why : `next step: ${step.kind}`;
}

/** What a host that is being promoted still has to do. Undefined if it has applied everything. */
function whileItApplies({ server, reign, shared, drainsInMs = 0 }: Seen): string | undefined {
  const isPromoted = shared?.sync?.reign === reign?.id;
  if (isPromoted || server.state !== 'up' || server.replica === undefined) return undefined;
  const left = server.received - server.position;
  if (left <= 0) return undefined;
  const more = `applies ${left.toLocaleString('en')} more`;
  return drainsInMs >= longestMs ? `${more}, and is blocked` : `${more}, about ${Math.ceil(drainsInMs / 1_000)} s`;
}
