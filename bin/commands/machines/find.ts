// Finds machines for the commands.

import type { MachineFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { readPages } from '../../cli/pages.ts';

export type Machine = MachineFieldsFragment;

graphql(`
  fragment MachineFields on Machine { id name role state version createdAt joinedAt expiresAt revokedAt }
`);

const document = graphql(`
  query MachinesList($first: Int, $after: String) {
    machines(first: $first, after: $after) { nodes { ...MachineFields } pageInfo { hasNextPage endCursor } }
  }
`);

export function allMachines(client: GraphClient): AsyncIterable<Machine> {
  return readPages(client, document, {}, ({ machines }) => machines);
}

/** By id, or by the name of a machine that is not revoked. */
export async function machineNamed(client: GraphClient, nameOrId: string): Promise<Machine> {
  for await (const machine of allMachines(client))
    if (machine.id === nameOrId || (machine.name === nameOrId && machine.state !== 'REVOKED')) return machine;
  throw new CommandFailure(`there is no machine '${nameOrId}'`);
}
