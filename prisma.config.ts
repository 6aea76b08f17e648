// Where Prisma finds its schema. Migrations are applied by platform/database/migrate.ts. A plain object, for Prisma's command
// line is a package of tools/generate and can't be imported from here.
export default { schema: 'prisma/schema' };
