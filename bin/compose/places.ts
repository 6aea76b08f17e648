// Where the checkout has what processes read at start, and what they share in Redis.
import { fileURLToPath } from 'node:url';

export const platformMigrations = {
  owner: 'platform',
  folder: fileURLToPath(new URL('../../prisma/migrations/platform', import.meta.url)),
};
export const supergraphFile = new URL('../../schema/supergraph.graphql', import.meta.url);
export const dashboardFolder = fileURLToPath(new URL('../../dashboard/dist', import.meta.url));

/** Everything shared in Redis is under this prefix. */
export const redisPrefix = 'tidegate';
