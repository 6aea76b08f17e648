// SQL of the addresses that nodes have on their hosts. Clients with a cached DNS answer must not reach another load balancer, so a public
// address rests after it is freed.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import { isInBlock } from '../../../../platform/net/address-block.ts';

/** The load balancer that needs an address, and how long those of others rest. */
export interface AddressWish {
  readonly balancerId: string;
  readonly restMs: number;
}

/** The scope of addresses whose host was removed: a shared one stays in use, others rest. A later host in its place must not assign them. */
const removedHosts = 'removed';

/** The host is removed: its addresses in use or at rest stay reserved. */
export async function keepAddresses(tx: Transaction, scope: string): Promise<void> {
  await tx.execute(
    `REPLACE INTO lb_address (scope, address, node_id, freed_at, freed_by)
    SELECT ?, address, node_id, freed_at, freed_by FROM lb_address WHERE scope = ?`,
    [removedHosts, scope],
  );
  await tx.execute('DELETE FROM lb_address WHERE scope = ?', [scope]);
}

/** True for an address that the load balancer can't have now. Values: milliseconds of rest, load balancer. */
const isHeld = `(freed_at IS NULL OR freed_at > ${trustedNow} - INTERVAL ? * 1000 MICROSECOND AND freed_by <> ?)`;

/**
 * The first address without a holder, or otherwise the first one that is resting and was the load balancer's own. `holder`: the node, or
 * the load balancer. Throws NO_FREE_ADDRESS.
 */
export async function takeAddress(
  tx: Transaction,
  scope: string,
  holder: string,
  candidates: Iterable<string>,
  { balancerId, restMs }: AddressWish,
): Promise<string> {
  await tx.execute(
    `DELETE FROM lb_address WHERE scope = ? AND freed_at <= ${trustedNow} - INTERVAL ? * 1000 MICROSECOND`,
    [...[scope, restMs]],
  );
  const rows = await tx.query<{ address: string; freedBy: string | null }>(
    `SELECT address, IF(freed_at IS NULL, NULL, freed_by) AS freedBy FROM lb_address
    WHERE scope = ? OR scope = ? AND (freed_at IS NULL OR freed_at > ${trustedNow} - INTERVAL ? * 1000 MICROSECOND) FOR UPDATE`,
    [scope, removedHosts, restMs],
  );
  const known = new Map(rows.map(({ address, freedBy }) => [address, freedBy]));
  const all = [...candidates];
  const address = all.find((each) => !known.has(each)) ?? all.find((each) => known.get(each) === balancerId);
  if (address === undefined) throw new Error(`NO_FREE_ADDRESS: none of the ${all.length} addresses is free`);
  await tx.execute('REPLACE INTO lb_address (scope, address, node_id) VALUES (?, ?, ?)', [scope, address, holder]);
  return address;
}

/** Frees addresses of a holder. Its public address rests, unless there is none. */
export async function freeAddresses(
  tx: Transaction,
  {
    holder,
    balancerId,
    address,
  }: { readonly holder: string; readonly balancerId: string; readonly address: string | null },
): Promise<void> {
  await tx.execute('UPDATE lb_address SET freed_at = NOW(3), freed_by = ? WHERE node_id = ? AND address = ?', [
    ...[balancerId, holder, address],
  ]);
  await tx.execute('DELETE FROM lb_address WHERE node_id = ? AND freed_at IS NULL', [holder]);
}

export interface HeldAddresses {
  readonly taken: number;
  readonly resting: number;
}

/** Public addresses that the load balancer can't have now, by host. Each holder has one of them. */
export async function heldAddresses(
  db: Sql,
  hosts: readonly { readonly id: string; readonly publicRange: string }[],
  { balancerId, restMs }: AddressWish,
): Promise<ReadonlyMap<string, HeldAddresses>> {
  if (hosts.length === 0) return new Map();
  const rows = await db.query<{ scope: string; held: number; taken: number }>(
    `SELECT scope, COUNT(DISTINCT node_id) AS held, COUNT(DISTINCT IF(freed_at IS NULL, node_id, NULL)) AS taken FROM lb_address
    WHERE scope IN (${marksFor(hosts)}) AND ${isHeld} GROUP BY scope`,
    [...hosts.map(({ id }) => id), restMs, balancerId],
  );
  const left = await db.query<{ address: string; rests: number }>(
    `SELECT address, freed_at IS NOT NULL AS rests FROM lb_address WHERE scope = ? AND ${isHeld}`,
    [removedHosts, restMs, balancerId],
  );
  const own = new Map(rows.map((row) => [row.scope, row]));
  return new Map(
    hosts.map(({ id, publicRange }) => {
      const [held, taken] = [Number(own.get(id)?.held ?? 0), Number(own.get(id)?.taken ?? 0)];
      const here = left.filter(({ address }) => isInBlock(address, publicRange));
      const resting = here.filter(({ rests }) => Number(rests) === 1).length;
      return [id, { taken: taken + here.length - resting, resting: held - taken + resting }];
    }),
  );
}
