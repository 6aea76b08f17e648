// Finds machines for the commands.

import type { MachineFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { namedAs, withOne } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { nearText } from '../../named-kinds.ts';
import { readPages } from '../../pages.ts';

type Machine = MachineFieldsFragment;

graphql(`
  fragment MachineFields on Machine { id name machineRole machineState version createdAt joinedAt expiresAt revokedAt copyRefusedAt }
`);

const listDocument = graphql(`
  query MachinesList($first: Int, $after: String) {
    machines(first: $first, after: $after) { nodes { ...MachineFields } pageInfo { hasNextPage endCursor } }
  }
`);
const namedDocument = graphql(`
  query MachinesNamed($id: ID!, $names: [String!], $first: Int, $after: String) {
    node(id: $id) { __typename ... on Machine { ...MachineFields } }
    machines(names: $names, first: $first, after: $after) {
      nodes { ...MachineFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export function allMachines(client: GraphClient): AsyncIterable<Machine> {
  return readPages(client, listDocument, {}, ({ machines }) => machines);
}

/** Finds a machine by id, or by the name of one that is not revoked. */
export async function machineNamed(client: GraphClient, nameOrId: string): Promise<Machine> {
  const named = readPages(client, namedDocument, namedAs(nameOrId), ({ node, machines }) =>
    withOne(node?.__typename === 'Machine' ? node : null, machines),
  );
  for await (const machine of named) if (machine.id === nameOrId || machine.machineState !== 'REVOKED') return machine;
  throw new CommandFailure(`there is no machine '${nameOrId}'${await nearText(client, 'machines', nameOrId)}`);
}
