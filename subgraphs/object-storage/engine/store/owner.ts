// The owner of the tables in a cluster's own database.
import { fileURLToPath } from 'node:url';
import type { MigrationOwner } from '../../../../platform/database/migrate.ts';

export const objectClusterMigrations: MigrationOwner = {
  owner: 'object-cluster',
  folder: fileURLToPath(new URL('../../../../prisma/migrations/object-cluster', import.meta.url)),
};
