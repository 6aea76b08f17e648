// The owners of a database's tables: platform, and the subgraphs of the roles that use it.
import type { MigrationOwner } from '../../platform/database/migrate.ts';
import type { SubgraphRow } from '../../platform/subgraph-row.ts';
import { platformMigrations } from './places.ts';

/** None for roles without a database. */
export function ownersOf(roles: readonly string[], rows: readonly SubgraphRow[]): readonly MigrationOwner[] {
  const owners = rows.flatMap((row) => [
    ...(roles.includes(row.name) ? [row.migrations] : []),
    ...(row.roles ?? []).flatMap(({ name, database }) =>
      database !== false && roles.includes(name) ? [database] : [],
    ),
  ]);
  return owners.length > 0 || roles.includes('worker') ? [platformMigrations, ...owners] : [];
}
