// Which changes the graph can tell before they are made. No DOM here.
import type { Action } from '../../../schema/kinds/kind.ts';

/** What is previewed: the nodes of a load balancer, or answers of DNS. */
export type Previewed = 'nodes' | 'answers';

/** The mutations whose effect the graph can tell before. */
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

/** Undefined: the graph can't tell. */
export function previewOf({ mutation }: Pick<Action, 'mutation'>): Previewed | undefined {
  return (['nodes', 'answers'] as const).find((of) => previewed[of].includes(mutation));
}
