// Paths in the checkout that processes read at start, their common prefix in Redis, and the form of their data folder.
import { fileURLToPath } from 'node:url';

export const platformMigrations = {
  owner: 'platform',
  folder: fileURLToPath(new URL('../prisma/migrations/platform', import.meta.url)),
};
export const dashboardFolder = fileURLToPath(new URL('../dashboard/dist', import.meta.url));

/** Prefix of everything shared in Redis. */
export const redisPrefix = 'tidegate';

/** Version of the data folder's layout: a newer one is refused. */
export const dataVersion = 1;
