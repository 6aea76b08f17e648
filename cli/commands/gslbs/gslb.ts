// Finds GSLBs and their members for the commands.
import type { GslbFieldsFragment, GslbMemberFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import type { GraphClient } from '../../graph-client.ts';
import { nearText } from '../../named-kinds.ts';
import { text, time } from '../../option.ts';
import { readAll, readPages } from '../../pages.ts';

graphql(`
  fragment GslbFields on Gslb {
    id fqdn description zoneName applianceId policy ttlSeconds degradedTtlSeconds noneUp
    provisioningStatus provisioningReason operatingStatus operatingReason
    frozenAt frozenUntil frozenReason generation createdAt
    flavor { name } project { name } cmpObject { namespace type externalId }
    pools { id name minUp }
  }
`);
graphql(`
  fragment GslbMemberFields on GslbPoolMember {
    id name memberType addresses cname memberRegion weight priority
    adminState adminUntil adminReason verdict verdictAt undecidedAt serving operatingStatus operatingReason
    votes { vantagePointName region verdict verdictAt latencyMs message monitor { name } }
  }
`);

type Gslb = GslbFieldsFragment;
export type GslbMember = GslbMemberFieldsFragment;

const namedDocument = graphql(`
  query GslbNamed($fqdn: String!) { gslbs(names: [$fqdn], first: 1) { nodes { ...GslbFields } } }
`);
const byIdDocument = graphql(`
  query GslbById($id: ID!) { node(id: $id) { __typename ... on Gslb { ...GslbFields } } }
`);
const membersDocument = graphql(`
  query GslbMembers($id: ID!, $first: Int, $after: String) {
    node(id: $id) {
      __typename
      ... on GslbPool {
        members(first: $first, after: $after) {
          nodes { ...GslbMemberFields }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
`);

/** Finds a GSLB by its DNS name, with or without the final dot, or by id. Throws CommandFailure if there is none. */
export async function findGslb(client: GraphClient, nameOrId: string): Promise<Gslb> {
  const fqdn = nameOrId.toLowerCase().replace(/\.$/, '');
  const [named] = (await client.query(namedDocument, { fqdn })).gslbs.nodes;
  if (named !== undefined) return named;
  const { node } = fqdn.includes('.') ? { node: null } : await client.query(byIdDocument, { id: nameOrId });
  if (node?.__typename === 'Gslb') return node;
  throw new CommandFailure(`there is no GSLB '${nameOrId}'${await nearText(client, 'gslbs', fqdn)}`);
}

export function membersOf(client: GraphClient, poolId: string): Promise<GslbMember[]> {
  return readAll(
    readPages(client, membersDocument, { id: poolId }, ({ node }) =>
      node?.__typename === 'GslbPool' ? node.members : undefined,
    ),
  );
}

/** Finds a member by MEMBER, or by POOL/MEMBER if several pools have one of that name. Throws CommandFailure. */
export async function findMember(client: GraphClient, { fqdn, pools }: Gslb, text: string): Promise<GslbMember> {
  const slash = text.indexOf('/');
  const [pool, name] = slash < 0 ? [undefined, text] : [text.slice(0, slash), text.slice(slash + 1)];
  const found: { readonly path: string; readonly member: GslbMember }[] = [];
  for (const each of pools) {
    if (pool !== undefined && each.name !== pool) continue;
    for (const member of await membersOf(client, each.id))
      if (member.name === name || member.id === name) found.push({ path: `${each.name}/${member.name}`, member });
  }
  const [first, second] = found;
  if (first === undefined) throw new CommandFailure(`there is no member '${text}' in the pools of ${fqdn}`);
  if (second !== undefined)
    throw new CommandFailure(
      `several pools of ${fqdn} have a member '${text}': name one of ${found.map(({ path }) => path).join(', ')}`,
    );
  return first.member;
}

/** The member's answer in DNS. */
export function answeredAs({
  addresses,
  cname,
  memberType,
}: Pick<GslbMember, 'addresses' | 'cname' | 'memberType'>): string {
  return cname ?? (addresses.length > 0 ? addresses.join(' ') : memberType);
}

export const untilOption = time('Until then. Default: until it is changed.');
export const reasonOption = text('TEXT', 'Why, for people.');
