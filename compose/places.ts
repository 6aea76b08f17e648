// Paths in the checkout that processes read at start, their common prefix in Redis, and the form of their data folder.
import { fileURLToPath } from 'node:url';

/** A folder for each owner. */
export const migrationsFolder = fileURLToPath(new URL('../prisma/migrations', import.meta.url));
export const platformMigrations = { owner: 'platform', folder: `${migrationsFolder}/platform` };
export const dashboardFolder = fileURLToPath(new URL('../dashboard/dist', import.meta.url));

/** Prefix of everything shared in Redis. */
export const redisPrefix = 'tidegate';

/** Version of the data folder's layout: a newer one is refused. */
export const dataVersion = 1;
