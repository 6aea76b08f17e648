// The row of a small subgraph, written from docs/adding-a-subgraph.md.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { subgraphRow } from '../../platform/process/subgraph-row.ts';
import { thermometerEvents } from './events.ts';

export const thermometerRow = subgraphRow({
  name: 'thermometer',
  sdl: new URL('./thermometer.graphql', import.meta.url),
  migrations: { owner: 'thermometer', folder: fileURLToPath(new URL('./migrations', import.meta.url)) },
  settings: {
    'thermometer.checkIntervalMs': z.coerce
      .number()
      .int()
      .min(100)
      .default(10_000)
      .describe('how often a thermometer is checked'),
  },
  events: thermometerEvents,
  roles: [
    {
      name: 'weatherman',
      standard: true,
      database: false,
      create: async ({ health }, settings) => ({
        start: () => health.add('weatherman', async () => `every ${settings['thermometer.checkIntervalMs']} ms`),
      }),
    },
  ],
  async create(ground) {
    const { createThermometerSubgraph } = await import('./thermometer-subgraph.ts');
    return { subgraph: createThermometerSubgraph(ground) };
  },
  async work({ db, wake }, settings) {
    const { createReadingQueue, createThermometerChecks } = await import('./thermometer-work.ts');
    return {
      checks: [createThermometerChecks({ db, wake, intervalMs: settings['thermometer.checkIntervalMs'] })],
      queues: [createReadingQueue({ db, wake })],
    };
  },
});
