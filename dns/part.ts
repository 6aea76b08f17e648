// The shared part dns: its settings, tables and work. Subgraphs declare names with records/record-store.ts; a worker publishes them.
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../platform/config-error.ts';
import { sharedPart } from '../platform/subgraph-row.ts';
import { dnsEvents } from './publish/events.ts';
import { type DnsSettings, dnsSettings } from './publish/settings.ts';
import type { RecordServer } from './servers/record-server.ts';

export const dnsPart = sharedPart({
  name: 'dns',
  settings: dnsSettings,
  events: dnsEvents,
  migrations: { owner: 'dns', folder: fileURLToPath(new URL('../prisma/migrations/dns', import.meta.url)) },
  reseal: async (db, options) => (await import('./backends/reseal.ts')).resealBackends(db, options),
  async work({ db, wake, log, health, egress, sealer }, settings) {
    const servers = await openServers(settings);
    const { failingNames } = await import('./publish/publication-store.ts');
    const { failingServers } = await import('./publish/server-states.ts');
    // Not required: names keep their last answer.
    const check = async () => {
      const { count, reason } = await failingNames(db);
      if (count > 0) throw new Error(`${count} names are not published: ${reason}`);
      const failing = await failingServers(db);
      if (failing.count > 0) throw new Error(`${failing.count} DNS servers have failed: ${failing.reason}`);
      return `${servers.length} servers of the settings`;
    };
    health.add('names in DNS', check, { required: false });
    const { BackendOpener } = await import('./backends/open-backends.ts');
    const { createPublishQueue } = await import('./publish/publish-queue.ts');
    const { createServerQueue } = await import('./publish/server-queue.ts');
    const { createZoneQueue } = await import('./backends/zone-queue.ts');
    const { createLookQueue } = await import('./publish/look-queue.ts');
    const backends = new BackendOpener({ db, egress, sealer, timeoutMs: settings['dns.timeoutMs'] });
    return {
      queues: [
        createPublishQueue({ db, wake, servers, backends }),
        createServerQueue({ db, wake, log, servers, backends }),
        createZoneQueue({ db, backends }),
        createLookQueue({ db, wake, log, servers, backends, intervalMs: settings['dns.lookIntervalMs'] }),
      ],
    };
  },
});

/** Throws ConfigError. */
async function openServers(settings: DnsSettings): Promise<readonly RecordServer[]> {
  const places = settings['dns.servers'];
  const path = settings['dns.tsigKeyFile'];
  if (places.length === 0) return [];
  const refused = (wrong: string) =>
    new ConfigError([
      {
        settings: ['dns.tsigKeyFile'],
        ...{ wrong, advice: 'create a key with "tsig-keygen -a hmac-sha256 NAME", and give it to the servers too' },
      },
    ]);
  if (path === undefined) throw refused('updates are signed, and there is no key');
  const { readTsigKey } = await import('./servers/tsig-key-file.ts');
  const { Rfc2136Server } = await import('./servers/rfc2136-server.ts');
  const key = await readTsigKey(path).catch((error: Error) => {
    throw refused(error.message);
  });
  return places.map((place) => new Rfc2136Server({ place, key, timeoutMs: settings['dns.timeoutMs'] }));
}
