// Reasons why this host is not a copy of the database now, for `ha status`.

import type { Step } from './decide.ts';
import type { Copies } from './state/copies.ts';
import type { View } from './view.ts';

export function whyAway(
  step: Step,
  { server, reign, staysOut }: Pick<View, 'server' | 'reign' | 'staysOut'>,
  { share, failure }: Pick<Copies, 'share' | 'failure'>,
): string | undefined {
  if (reign !== undefined) return undefined;
  if (server.state === 'copying') return share === 1 ? 'a copy is prepared' : `a copy: ${Math.floor(share * 100)} %`;
  const receives = server.state === 'up' && server.replica?.receiving === true;
  if (receives && staysOut !== true) return undefined;
  if (step.kind === 'clone' && failure !== undefined) return failure;
  return step.kind === 'wait' ? step.why : `next step: ${step.kind}`;
}
