// Reasons why this host is not a copy of the database now, for `ha status`.

import type { Step } from './decide.ts';
import type { View } from './view.ts';

/** `copied`: the received share, 0 to 1, of the copy in progress. Undefined if there is none. */
export function whyAway(
  step: Step,
  { server, reign, staysOut }: Pick<View, 'server' | 'reign' | 'staysOut'>,
  copied: number,
): string | undefined {
  if (reign !== undefined) return undefined;
  if (server.state === 'copying') return copied === 1 ? 'a copy is prepared' : `a copy: ${Math.floor(copied * 100)} %`;
  const receives = server.state === 'up' && server.replica?.receiving === true;
  if (receives && staysOut !== true) return undefined;
  return step.kind === 'wait' ? step.why : `next step: ${step.kind}`;
}
