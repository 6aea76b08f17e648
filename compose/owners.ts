// The owners of a database's tables: platform, and the subgraphs of the roles that use it, with their shared modules.
import type { MigrationOwner } from '../platform/database/migrate.ts';
import { migrationsOf, type SubgraphRow } from '../platform/process/subgraph-row.ts';
import { platformMigrations } from './places.ts';

/** None for roles without a database. */
export function ownersOf(roles: readonly string[], rows: readonly SubgraphRow[]): readonly MigrationOwner[] {
  const owners = [
    ...migrationsOf(rows.filter(({ name }) => roles.includes(name))),
    ...rows
      .flatMap((row) => row.roles ?? [])
      .flatMap(({ name, database }) => (database !== false && roles.includes(name) ? [database] : [])),
  ];
  return owners.length > 0 || roles.includes('worker') ? [platformMigrations, ...new Set(owners)] : [];
}
