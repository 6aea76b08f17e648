// Finds the clusters that take users, from the reports of their controllers. Clusters of which an administrator has drained every server,
// or every controller, are left out.
import type { Sql } from '../../../../platform/database/database.ts';
import type { ClusterRow } from '../stores/cluster-store.ts';
import { type ControllerRow, controllersOf } from '../stores/controller-store.ts';

type UserRole = 'objectserver' | 'objectcontroller';

/** `roles`: the roles that are needed: servers for requests, controllers for logins. */
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

/** All controllers of a cluster report the same, unless they are silent. A cluster about which nothing is known may be serving. */
function isDrained(controllers: readonly ControllerRow[], role: UserRole): boolean {
  const teller = controllers.find(({ present }) => present) ?? controllers[0];
  const services = (teller?.state?.services ?? []).filter((service) => service.role === role);
  return services.length > 0 && services.every((service) => service.isDrained === true);
}
