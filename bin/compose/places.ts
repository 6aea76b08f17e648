// Paths in the checkout that processes read at start, and their common prefix in Redis.
import { fileURLToPath } from 'node:url';

export const platformMigrations = {
  owner: 'platform',
  folder: fileURLToPath(new URL('../../prisma/migrations/platform', import.meta.url)),
};
export const supergraphFile = new URL('../../schema/supergraph.graphql', import.meta.url);
export const dashboardFolder = fileURLToPath(new URL('../../dashboard/dist', import.meta.url));

/** Prefix of everything shared in Redis. */
export const redisPrefix = 'tidegate';
