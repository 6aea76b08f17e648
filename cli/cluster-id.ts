// The id of a cluster of object storage, for commands that take its name.
import { graphql } from '../generated/cli/index.ts';
import { findNamed, namedAs, withOne } from './find.ts';
import type { GraphClient } from './graph-client.ts';
import { nearText } from './named-kinds.ts';
import { readPages } from './pages.ts';

const namedDocument = graphql(`
  query ClustersNamed($id: ID!, $names: [String!], $first: Int, $after: String) {
    objectCluster(id: $id) { id name }
    objectClusters(names: $names, first: $first, after: $after) {
      nodes { id name }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Finds a cluster by name or id. Throws CommandFailure if there is none. */
export function clusterId(client: GraphClient, nameOrId: string): Promise<string> {
  const named = readPages(client, namedDocument, namedAs(nameOrId), ({ objectCluster, objectClusters }) =>
    withOne(objectCluster, objectClusters),
  );
  return findNamed(named, 'cluster', nameOrId, () => nearText(client, 'clusters', nameOrId));
}
