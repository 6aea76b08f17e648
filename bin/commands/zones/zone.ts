// Finds zones for the commands.
import type { ZoneFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { readAll, readPages } from '../../cli/pages.ts';

graphql(`
  fragment ZoneFields on DnsZone {
    id name description backendType generation ds createdAt
    backend { name }
    rights { suffix projectId }
    keys { keyTag use state since namedSince }
  }
`);

export type Zone = ZoneFieldsFragment;

const document = graphql(`
  query ZonesAll($first: Int, $after: String) {
    dnsZones(first: $first, after: $after) { nodes { ...ZoneFields } pageInfo { hasNextPage endCursor } }
  }
`);

export function readZones(client: GraphClient): Promise<Zone[]> {
  return readAll(readPages(client, document, {}, (data) => data.dnsZones));
}

/** By its name, with or without the dot at the end, or by id. Throws CommandFailure if there is none. */
export async function findZone(client: GraphClient, nameOrId: string): Promise<Zone> {
  const wanted = nameOrId.toLowerCase().replace(/\.$/, '');
  const found = (await readZones(client)).find(({ id, name }) => name === wanted || id === nameOrId);
  if (found === undefined) throw new CommandFailure(`there is no zone '${nameOrId}'`);
  return found;
}
