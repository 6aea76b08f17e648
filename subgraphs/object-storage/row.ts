// The row of the object storage subgraph: the control plane of the federation.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { subgraphRow } from '../../platform/process/subgraph-row.ts';
import { clusterSettings } from './agents/cluster-settings.ts';
import { objectEvents } from './control/events.ts';
import { objectClusterMigrations } from './engine/store/owner.ts';

const linkPort = 'objectStorage.linkPort';

export const objectStorageRow = subgraphRow({
  name: 'object-storage',
  sdl: new URL('../../schema/object-storage.graphql', import.meta.url),
  migrations: {
    owner: 'object-storage',
    folder: fileURLToPath(new URL('../../prisma/migrations/object-storage', import.meta.url)),
  },
  events: objectEvents,
  keyFiles: (settings) => (settings[linkPort] === undefined ? [] : ['objects', 'sealing']),
  linkPorts: [linkPort],
  configurations: async () => (await import('./control/configurations.ts')).configurations,
  settings: {
    'objectStorage.linkHost': z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('address at which the controllers of object storage clusters (role objectcontroller) connect'),
    [linkPort]: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe(
        'port at which controllers of object storage connect, by mutual TLS; 0 takes a free one; without it none can connect',
      ),
    ...clusterSettings,
  },
  held: async (sql, projectId) => (await import('./control/accounts/access-key-store.ts')).heldBy(sql, projectId),
  projectEnd: async () => (await import('./control/accounts/account-end.ts')).accountEnd,
  roles: [
    {
      name: 'objectcontroller',
      standard: false,
      keyFiles: ['sealing'],
      database: objectClusterMigrations,
      create: async (context, settings) =>
        (await import('./agents/controller/controller-role.ts')).createControllerRole(context, settings),
    },
    {
      name: 'objectresolver',
      standard: false,
      database: objectClusterMigrations,
      create: async (context, settings) =>
        (await import('./agents/resolver/object-resolver-role.ts')).createObjectResolverRole(context, settings),
    },
    {
      name: 'objectserver',
      standard: false,
      keyFiles: ['sealing'],
      database: objectClusterMigrations,
      create: async (context, settings) =>
        (await import('./agents/server/object-server-role.ts')).createObjectServerRole(context, settings),
    },
  ],
  async create(context, settings) {
    const { createObjectStorageSubgraph } = await import('./object-storage.ts');
    const { ClusterLinks } = await import('./control/controllers/cluster-links.ts');
    const port = settings[linkPort];
    const region = settings['objectServer.region'];
    if (port === undefined)
      return createObjectStorageSubgraph({ ...context, region, links: new ClusterLinks(context) });
    const tls = await context.tlsOf('object-storage');
    if (tls === undefined)
      throw new ConfigError([
        {
          settings: [linkPort],
          wrong: 'controllers connect by mutual TLS only, and this process has no certificate for it',
          given: String(port),
          advice: 'set internal.machineFolder (tidegate join) or internal.tls',
        },
      ]);
    const signingKeys = await context.keys.signing('objects');
    const place = { host: settings['objectStorage.linkHost'], port, tls, signingKeys, sealer: await context.sealer() };
    return createObjectStorageSubgraph({ ...context, region, links: new ClusterLinks({ ...context, place }) });
  },
  async work({ db, wake, sealer }) {
    const { createClusterKeyQueue } = await import('./control/accounts/cluster-key-queue.ts');
    const { objectRetention } = await import('./control/retention.ts');
    return {
      queues: [createClusterKeyQueue({ db, wake, sealer })],
      retention: objectRetention({ db, wake }),
    };
  },
  async reseal(db, options) {
    const { resealAccessKeys } = await import('./control/accounts/cluster-key-queue.ts');
    return resealAccessKeys(db, options);
  },
});
