// The shared module dns: its settings, tables and work. Subgraphs declare names with records/record-store.ts; a worker publishes them.
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../platform/errors/config-error.ts';
import { type DatabaseContext, sharedModule } from '../platform/process/subgraph-row.ts';
import { dnsEvents } from './publish/events.ts';
import { type DnsSettings, dnsSettings } from './publish/settings.ts';
import type { ZoneServers } from './publish/zone-servers.ts';
import type { ServerPlace } from './servers/transport.ts';

export const dnsModule = sharedModule({
  name: 'dns',
  settings: dnsSettings,
  events: dnsEvents,
  migrations: { owner: 'dns', folder: fileURLToPath(new URL('../prisma/migrations/dns', import.meta.url)) },
  reseal: async (db, options) => (await import('./backends/reseal.ts')).resealBackends(db, options),
  async work({ db, wake, log, health, egress, sealer }, settings) {
    const { reserveNames } = await import('./ownership/reserved-names.ts');
    const { restedNames } = await import('./ownership/retention.ts');
    const taken = await reserveNames(db, settings['dns.reservedNames']);
    for (const name of taken)
      log.error(
        { name },
        'a project has a name at, above or below one of the installation: have it deleted, then restart',
      );
    const servers = await openServers(settings, { db, wake, log });
    const { failingNames } = await import('./publish/publication-store.ts');
    const { failingServers } = await import('./publish/server-states.ts');
    // Not required: names keep their last answer.
    const check = async () => {
      const { count, reason } = await failingNames(db);
      if (count > 0) throw new Error(`${count} names are not published: ${reason}`);
      const failing = await failingServers(db);
      if (failing.count > 0) throw new Error(`${failing.count} DNS servers have failed: ${failing.reason}`);
      return 'led' in servers
        ? `of the data hosts: ${servers.led?.server.name ?? 'no primary is known'}`
        : `${servers.length} servers of the settings`;
    };
    health.add('names in DNS', check, { required: false });
    const { BackendOpener } = await import('./backends/open-backends.ts');
    const { createPublishQueue } = await import('./publish/publish-queue.ts');
    const { createServerQueue } = await import('./publish/server-queue.ts');
    const { createZoneQueue } = await import('./backends/zone-queue.ts');
    const { createDriftQueue } = await import('./publish/drift-queue.ts');
    const backends = new BackendOpener({ db, egress, sealer, timeoutMs: settings['dns.timeoutMs'] });
    return {
      queues: [
        createPublishQueue({ db, wake, servers, backends }),
        createServerQueue({ db, wake, log, servers, backends }),
        createZoneQueue({ db, backends }),
        createDriftQueue({ db, wake, log, servers, backends, intervalMs: settings['dns.lookIntervalMs'] }),
      ],
      retention: restedNames(db),
    };
  },
});

/** Reads the setting of a subgraph that uses the module. */
export function nameRestMsIn(settings: object): number {
  return (settings as DnsSettings)['dns.nameRestMs'];
}

/** Throws ConfigError. */
async function openServers(
  settings: DnsSettings,
  { db, wake, log }: Pick<DatabaseContext, 'db' | 'wake' | 'log'>,
): Promise<ZoneServers['servers']> {
  const {
    'dns.servers': places,
    'dns.hostsPort': port,
    'dns.tsigKeyFile': path,
    'dns.timeoutMs': timeoutMs,
  } = settings;
  if (places.length === 0 && port === undefined) return [];
  if (places.length > 0 && port !== undefined)
    throw new ConfigError([
      { settings: ['dns.servers', 'dns.hostsPort'], wrong: 'both are given', advice: 'give one' },
    ]);
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
  const open = (place: ServerPlace) => new Rfc2136Server({ place, key, timeoutMs });
  if (port === undefined) return places.map(open);
  const { followPrimary } = await import('./publish/data-host-servers.ts');
  const { oweFullDriftChecks } = await import('./publish/drift-queue.ts');
  return followPrimary({
    db,
    open: (address) => open({ address, port }),
    onPrimary() {
      // If the primary is lost now, the next one repeats this.
      oweFullDriftChecks({ db, wake }).catch((error: unknown) =>
        log.warn({ err: error }, 'the name server of the primary was not checked yet'),
      );
    },
  });
}
