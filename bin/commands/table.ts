// Every command of the `tidegate` program, in the order in which the help lists them.
import type { CommandEntry } from './command.ts';

export const commands: readonly CommandEntry[] = [
  {
    name: 'up',
    summary: 'Start everything on this machine: databases, all roles, the lab.',
    load: async () => (await import('./up.ts')).up,
  },
  {
    name: 'serve',
    summary: 'Run chosen roles against a database and Redis of your own.',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'worker',
    summary: 'Run the role worker: health checks and owed work.',
    load: async () => (await import('./serve.ts')).worker,
  },
  {
    name: 'migrate',
    summary: "Bring the database's tables up to date.",
    load: async () => (await import('./migrate.ts')).migrate,
  },
  {
    name: 'backends',
    summary: 'List, show, register, import and delete backends; accept their host keys.',
    load: async () => (await import('./backends/noun.ts')).backends,
  },
  {
    name: 'operations',
    summary: 'List and show calls to backends; settle those whose outcome is unknown.',
    load: async () => (await import('./operations/noun.ts')).operations,
  },
  {
    name: 'mappings',
    summary: 'List, verify, adopt, forget and export which CMP object is which backend object.',
    load: async () => (await import('./mappings/noun.ts')).mappings,
  },
  {
    name: 'events',
    summary: 'Show status changes; with --follow, as they happen.',
    load: async () => (await import('./events/noun.ts')).events,
  },
  {
    name: 'audit',
    summary: 'Verify the audit trail, or export it.',
    load: async () => (await import('./audit/noun.ts')).audit,
  },
  {
    name: 'keys',
    summary: 'Make, show and rotate key files.',
    load: async () => (await import('./keys/noun.ts')).keys,
  },
];
