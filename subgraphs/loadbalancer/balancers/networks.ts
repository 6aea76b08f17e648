// The networks around a load balancer: where members may not be, and which ports are taken.
import type { Sql } from '../../../platform/database/database.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { Networks } from '../parts/member-addresses.ts';
import type { PartSpec } from '../parts/part-kind.ts';
import { hostNetworks } from '../stores/host-store.ts';

/** `cidr`: of its subnet. */
export async function networksWith(sql: Sql, cidr: string | null): Promise<Networks> {
  const { ranges, shared } = await hostNetworks(sql);
  return { ofHosts: ranges, subnet: shared ? null : cidr };
}

/** Of a load balancer (UUID). */
export async function networksOf(sql: Sql, balancerId: string): Promise<Networks> {
  const [row] = await sql.query<{ cidr: string }>(
    'SELECT s.cidr FROM lb_load_balancer b JOIN lb_subnet s ON s.id = b.subnet_id WHERE b.id = ?',
    [balancerId],
  );
  return networksWith(sql, row?.cidr ?? null);
}

/** Adds a fault for a listener's port at which nodes answer health checks. */
export function checkPort(
  check: InputCheck,
  { port }: PartSpec,
  taken: readonly number[],
  at: readonly string[] = [],
): void {
  if (taken.includes(Number(port)))
    check.fault(
      [...at, 'port'].join('.'),
      `port ${String(port)} is taken by the health checks of nodes; give another`,
      'IN_USE',
    );
}
