// The networks around a load balancer: addresses that members may not have, and ports in use.
import type { Sql } from '../../../../platform/database/database.ts';
import type { InputCheck } from '../../../../platform/edge/input.ts';
import type { Networks } from '../../spec/member-addresses.ts';
import type { PartSpec } from '../../spec/part-kind.ts';
import { hostNetworks } from '../stores/host-store.ts';

/** `cidr`: block of the load balancer's subnet. */
export async function networksWith(sql: Sql, cidr: string | null): Promise<Networks> {
  const { ranges, shared } = await hostNetworks(sql);
  return { ofHosts: ranges, subnet: shared ? null : cidr };
}

/** By the UUID of the load balancer. */
export async function networksOf(sql: Sql, balancerId: string): Promise<Networks> {
  const [row] = await sql.query<{ cidr: string }>(
    'SELECT s.cidr FROM lb_load_balancer b JOIN lb_subnet s ON s.id = b.subnet_id WHERE b.id = ?',
    [balancerId],
  );
  return networksWith(sql, row?.cidr ?? null);
}

/** Adds a fault if a listener's port is the one at which nodes answer health checks. */
export function checkPort(
  check: InputCheck,
  { port }: PartSpec,
  taken: readonly number[],
  at: readonly string[] = [],
): void {
  if (taken.includes(Number(port)))
    check.fault(
      [...at, 'port'].join('.'),
      `port ${String(port)} is used by the health checks of nodes; choose another`,
      'IN_USE',
    );
}
