// The shared part dns: its settings, tables and work.
import { fileURLToPath } from 'node:url';
import { sharedPart } from '../platform/subgraph-row.ts';

export const dnsPart = sharedPart({
  name: 'dns',
  settings: {},
  migrations: { owner: 'dns', folder: fileURLToPath(new URL('../prisma/migrations/dns', import.meta.url)) },
});
