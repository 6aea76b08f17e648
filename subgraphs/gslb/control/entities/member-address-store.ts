// The addresses and host names of members, for the search for names. Members that follow a load balancer are found by the load balancer.
import { isDeepStrictEqual } from 'node:util';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { AddressColumn } from '../../../../platform/graph/found-by-address.ts';

export const memberAddresses: AddressColumn = {
  ...{ table: 'gslb_member_address', column: 'address', id: 'member_id' },
  ...{ index: 'gslb_member_address_idx', ofProject: 'gslb_member_address_project_idx' },
};

interface Place {
  readonly addresses?: unknown;
  readonly cname?: unknown;
}

/** Replaces a member's addresses if they have changed. */
export async function writeMemberAddresses(
  tx: Transaction,
  { id, projectId }: { readonly id: string; readonly projectId: string },
  place: Place,
  before: Place = {},
): Promise<void> {
  const texts = textsOf(place);
  if (isDeepStrictEqual(texts, textsOf(before))) return;
  await tx.execute('DELETE FROM gslb_member_address WHERE member_id = ?', [id]);
  if (texts.length === 0) return;
  await tx.execute(
    `INSERT INTO gslb_member_address (member_id, address, project_id) VALUES ${texts.map(() => '(?, ?, ?)').join(', ')}`,
    texts.flatMap((text) => [id, text, projectId]),
  );
}

function textsOf({ addresses, cname }: Place): readonly string[] {
  const given = [...(Array.isArray(addresses) ? addresses : []), cname].filter((each) => typeof each === 'string');
  return [...new Set(given.map((each) => each.toLowerCase().replace(/\.$/, '')))];
}

/** UUIDs of at most `limit` names that use the pools of these members. Ignores deleted members. */
export async function gslbsUsingMembers(
  sql: Sql,
  memberIds: readonly string[],
  limit: number,
): Promise<readonly string[]> {
  if (memberIds.length === 0) return [];
  const rows = await sql.query<{ id: string }>(
    `SELECT DISTINCT u.gslb_id AS id FROM gslb_pool_member m JOIN gslb_pool_use u ON u.pool_id = m.pool_id
    WHERE m.id IN (${marksFor(memberIds)}) AND m.deleted_at IS NULL LIMIT ${limit}`,
    memberIds,
  );
  return rows.map(({ id }) => id);
}
