// Finds L7 policies for the commands: by the load balancer, the port of the listener, and the policy's name or id.
import type { L7PoliciesListQuery } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { balancerId } from '../../balancer.ts';
import { CommandFailure } from '../../failures.ts';
import type { GraphClient } from '../../graph-client.ts';
import { integer, needed } from '../../option.ts';
import { shownId } from '../../short-id.ts';

const document = graphql(`
  query L7PoliciesList($id: ID!) {
    loadBalancer(id: $id) {
      id name
      pools { id name }
      listeners {
        id port
        l7Policies {
          id name action position redirectUrl redirectPrefix redirectCode enabled operatingStatus
          redirectPool { id name }
          l7Rules { id ruleType compareType key value invert enabled }
        }
      }
    }
  }
`);

type Balancer = NonNullable<L7PoliciesListQuery['loadBalancer']>;
type Listener = Balancer['listeners'][number];
export type Policy = Listener['l7Policies'][number];

export const listenerOption = needed(integer('PORT', 'Listener, by its port.', { least: 1, most: 65_535 }));

interface PolicyPlace {
  readonly loadbalancer: string;
  readonly listener: number;
  readonly project: string | undefined;
}

export async function readListener(
  client: GraphClient,
  { loadbalancer, listener: port, project }: PolicyPlace,
): Promise<{ readonly balancer: Balancer; readonly listener: Listener }> {
  const { loadBalancer } = await client.query(document, { id: await balancerId(client, loadbalancer, project) });
  const listener = loadBalancer?.listeners.find((each) => each.port === port);
  if (loadBalancer === null || listener === undefined)
    throw new CommandFailure(`'${loadbalancer}' has no listener at port ${port}`);
  return { balancer: loadBalancer, listener };
}

/** Throws CommandFailure if none has that name or id, or if several have the name. */
export function policyOf({ port, l7Policies }: Listener, nameOrId: string): Policy {
  const found = l7Policies.filter(({ id, name }) => id === nameOrId || name === nameOrId);
  const [first, second] = found;
  if (first === undefined) throw new CommandFailure(`port ${port} has no L7 policy '${nameOrId}'`);
  if (second !== undefined)
    throw new CommandFailure(
      `several L7 policies have the name '${nameOrId}'; use one of these ids: ${found.map(({ id }) => shownId(id)).join(', ')}`,
    );
  return first;
}

export function poolIdOf({ name, pools }: Balancer, named: string | undefined): string | undefined {
  if (named === undefined) return undefined;
  const pool = pools.find((each) => each.name === named || each.id === named);
  if (pool === undefined) throw new CommandFailure(`there is no pool '${named}' in '${name}'`);
  return pool.id;
}
