// Which clusters take users, by what their controllers tell: not those of which an administrator has drained every server, or every controller.
import type { Sql } from '../../../platform/database/database.ts';
import type { ClusterRow } from './cluster-store.ts';
import { type ControllerRow, controllersOf } from './controller-store.ts';

export type UserRole = 'objectserver' | 'objectcontroller';

/** `roles`: those that are needed: a server for requests, a controller for logins. */
export async function takingUsers(
  sql: Sql,
  clusters: readonly ClusterRow[],
  roles: readonly UserRole[],
): Promise<readonly ClusterRow[]> {
  const controllers = await controllersOf(
    sql,
    clusters.map(({ id }) => id),
  );
  return clusters.filter(({ id }) => !roles.some((role) => isDrained(controllers.get(id) ?? [], role)));
}

/** Of several controllers each tells the same, unless it is silent. Of which nothing is known may serve. */
function isDrained(controllers: readonly ControllerRow[], role: UserRole): boolean {
  const teller = controllers.find(({ present }) => present) ?? controllers[0];
  const services = (teller?.state?.services ?? []).filter((service) => service.role === role);
  return services.length > 0 && services.every((service) => service.isDrained === true);
}
