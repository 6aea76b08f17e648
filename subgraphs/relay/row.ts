// Registers the relay subgraph with the rest of the program.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Database } from '../../platform/database/database.ts';
import { countHeld } from '../../platform/edge/projects.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { subgraphRow } from '../../platform/process/subgraph-row.ts';
import { relayEvents } from './control/events.ts';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const dayMs = 86_400_000;

export const relayRow = subgraphRow({
  name: 'relay',
  sdl: new URL('../../schema/relay.graphql', import.meta.url),
  migrations: { owner: 'relay', folder: fileURLToPath(new URL('../../prisma/migrations/relay', import.meta.url)) },
  events: relayEvents,
  configurations: async () => (await import('./control/configurations.ts')).configurations,
  settings: {
    'retention.operationDays': count(8, 3650)
      .default(365)
      .describe('days for which final operations are kept; at least 8, because an idempotency key is kept for 7'),
    'relay.checkIntervalMs': count(500, 3_600_000).default(10_000).describe('interval between two checks of a backend'),
    'relay.checkTimeoutMs': count(200, 60_000).default(5_000).describe('maximum duration of a check'),
    'relay.sourceAddress': z
      .union([z.ipv4(), z.ipv6()])
      .optional()
      .describe(
        'address from which backends of its family are called and checked, for devices that admit one address: the virtual address of a cluster of hosts. A host that does not have it sends nothing to them: calls wait for the host that has it. Default: the system chooses',
      ),
    'relay.deviceGraceMs': count(0, 600_000)
      .default(10_000)
      .describe(
        'time for which a device may still act on a call after its connection was cut; drivers whose devices take longer say so, and it is never less than this',
      ),
  },
  keyFiles: () => ['sealing'],
  oneMutation: true,
  // One process holds the sessions of a device. Another one would wait for it with a call, and open a further session for a read.
  oneAtATime: true,
  held: (sql, projectId) =>
    countHeld(sql, projectId, {
      backends: 'SELECT COUNT(*) AS count FROM backend WHERE project_id = ? AND live_name IS NOT NULL',
    }),
  filteredFeeds: ['relayOperationChanges', 'backendChanges'],
  exports: [
    {
      name: 'mappings',
      // Half of the largest page: a full one would exceed the default cost limit of an operation.
      query: `query MappingExport($projectId: ID, $after: String) {
  relayMappingChanges(projectId: $projectId, after: $after, limit: 500) {
    mappings {
      id version mappingState mappingRole resource scope objectKey uuid shared createdAt updatedAt
      project { id } cmpObject { id namespace type externalId } backend { id name } lastVerification { result verifiedAt }
    }
    after
    upToDate
  }
}`,
      field: 'relayMappingChanges',
      items: 'mappings',
    },
  ],
  async create(context, settings) {
    const { createRelaySubgraph } = await import('./relay.ts');
    await refuseOlderForm(context.db);
    const relay = createRelaySubgraph({
      ...context,
      sealer: await context.sealer(),
      name: context.processName,
      settings: {
        deviceGraceMs: settings['relay.deviceGraceMs'],
        sourceAddress: settings['relay.sourceAddress'],
      },
    });
    return {
      subgraph: relay,
      start: () => relay.start(),
      drain: () => relay.drain(),
      stop: () => relay.stop(),
    };
  },
  async work({ db, wake, sealer }, settings) {
    const { createBackendChecks } = await import('./control/checks/backend-checks.ts');
    await refuseOlderForm(db);
    const { endedCalls, relayRetention } = await import('./control/journal/retention.ts');
    const operationMs = settings['retention.operationDays'] * dayMs;
    return {
      checks: [
        createBackendChecks({
          db,
          wake,
          sealer: await sealer(),
          intervalMs: settings['relay.checkIntervalMs'],
          timeoutMs: settings['relay.checkTimeoutMs'],
          sourceAddress: settings['relay.sourceAddress'],
        }),
      ],
      retention: relayRetention(db, operationMs),
      endedCalls: (callIds) => endedCalls(db, callIds),
    };
  },
  async reseal(db, options) {
    const { resealCredentials } = await import('./control/backends/reseal.ts');
    const { resealSecrets } = await import('./control/journal/reseal-secrets.ts');
    const [first, second] = [await resealCredentials(db, options), await resealSecrets(db, options)];
    return {
      resealed: first.resealed + second.resealed,
      trusted: first.trusted,
      failed: [...first.failed, ...second.failed],
    };
  },
});

/** Treated like missing migrations: a process that can't use any stored credential must not take work from one that can. */
async function refuseOlderForm(db: Database): Promise<void> {
  const { countOlderForm } = await import('./control/backends/reseal.ts');
  const count = await countOlderForm(db);
  if (count > 0)
    throw new ConfigError([
      {
        settings: [],
        wrong: `${count} stored credentials are sealed without their backend's address, as by an earlier version`,
        advice: 'stop its processes and run "tidegate keys reseal FILE"',
      },
    ]);
}
