// Where Prisma finds its schema. Migrations are applied by platform/database/migrate.ts. A plain object: a server has removed Prisma's
// command line, from which a helper could be imported.
export default { schema: 'prisma/schema' };
