// Where Prisma finds its schema. Migrations are applied by platform/database/migrate.ts, in Prisma's own layout.
import { defineConfig } from 'prisma/config';

export const config = defineConfig({ schema: 'prisma/schema', migrations: { path: 'prisma/migrations' } });

export { config as default };
