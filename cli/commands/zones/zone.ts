// Finds zones for the commands.
import type { ZoneFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import type { GraphClient } from '../../graph-client.ts';
import { nearText } from '../../named-kinds.ts';
import { readAll, readPages } from '../../pages.ts';

graphql(`
  fragment ZoneFields on DnsZone {
    id name description backendType generation ds createdAt
    backend { name }
    rights { suffix project { id name } }
    keys { keyTag use keyState since namedSince }
  }
`);

type Zone = ZoneFieldsFragment;

const document = graphql(`
  query ZonesAll($first: Int, $after: String) {
    dnsZones(first: $first, after: $after) { nodes { ...ZoneFields } pageInfo { hasNextPage endCursor } }
  }
`);

export function readZones(client: GraphClient): Promise<Zone[]> {
  return readAll(readPages(client, document, {}, (data) => data.dnsZones));
}

const namedDocument = graphql(`
  query ZoneNamed($name: String!) { dnsZones(names: [$name], first: 1) { nodes { ...ZoneFields } } }
`);
const byIdDocument = graphql(`
  query ZoneById($id: ID!) { node(id: $id) { __typename ... on DnsZone { ...ZoneFields } } }
`);

/** Finds a zone by its name, with or without the final dot, or by id. Throws CommandFailure if there is none. */
export async function findZone(client: GraphClient, nameOrId: string): Promise<Zone> {
  const name = nameOrId.toLowerCase().replace(/\.$/, '');
  const [named] = (await client.query(namedDocument, { name })).dnsZones.nodes;
  if (named !== undefined) return named;
  const { node } = name.includes('.') ? { node: null } : await client.query(byIdDocument, { id: nameOrId });
  if (node?.__typename === 'DnsZone') return node;
  throw new CommandFailure(`there is no zone '${nameOrId}'${await nearText(client, 'zones', name)}`);
}
