// The changes that the graph can preview. No DOM here.
import type { Action } from '../../../schema/kinds/kind.ts';

/** The subject of a preview: the nodes of a load balancer, or answers of DNS. */
export type Previewed = 'nodes' | 'answers';

/** The mutations that the graph can preview. */
export const previewed: Readonly<Record<Previewed, readonly string[]>> = {
  nodes: [
    ...['loadBalancerUpdate', 'loadBalancerDelete'],
    ...['pool', 'poolMember', 'poolHealthMonitor', 'listener', 'l7Policy', 'l7Rule'].flatMap((part) =>
      ['Create', 'Update', 'Delete'].map((verb) => `${part}${verb}`),
    ),
  ],
  answers: [
    ...['gslbCreate', 'gslbUpdate', 'gslbDelete', 'gslbPoolUpdate', 'gslbPoolDelete'],
    ...['gslbPoolMemberCreate', 'gslbPoolMemberUpdate', 'gslbPoolMemberDelete'],
  ],
};

/** Undefined if the graph has no preview. */
export function previewOf({ mutation }: Pick<Action, 'mutation'>): Previewed | undefined {
  return (['nodes', 'answers'] as const).find((of) => previewed[of].includes(mutation));
}
