// The members of a pool.
import type { MemberFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import type { GraphClient } from '../../graph-client.ts';
import { readAll, readPages } from '../../pages.ts';

graphql(`
  fragment MemberFields on PoolMember {
    id host port weight backup enabled drainUntil sessions provisioningStatus operatingStatus operatingReason
  }
`);

const listDocument = graphql(`
  query MembersList($pool: ID!, $first: Int, $after: String) {
    pool(id: $pool) {
      members(first: $first, after: $after) { nodes { ...MemberFields } pageInfo { hasNextPage endCursor } }
    }
  }
`);
export function membersOf(client: GraphClient, ofPool: string): Promise<readonly MemberFieldsFragment[]> {
  return readAll(readPages(client, listDocument, { pool: ofPool }, (data) => data.pool?.members));
}
