// The private PowerDNS of `npm start`, if the settings name a place for it.
import type { DnsSettings } from '../dns/publish/settings.ts';
import type { PowerdnsOptions } from '../embedded/powerdns.ts';
import { supervise } from '../embedded/supervise.ts';
import { ConfigError } from '../platform/errors/config-error.ts';
import { type Config, settingsOf } from '../platform/process/config.ts';
import type { SubgraphRow } from '../platform/process/subgraph-row.ts';

interface PrivateDns {
  /** Settings with which names are published on it. */
  readonly settings: Partial<DnsSettings>;
  stop(): Promise<void>;
}

/** Undefined if it is not configured. Throws SetupError, ConfigError. */
export async function startPrivateDns(
  config: Config,
  rows: readonly SubgraphRow[],
  { folder, log, signal }: Required<Pick<PowerdnsOptions, 'folder' | 'log' | 'signal'>>,
): Promise<PrivateDns | undefined> {
  const wanted = config as Partial<DnsSettings>;
  const place = wanted['dns.privateServer'];
  if (place === undefined) return undefined;
  if ((wanted['dns.servers'] ?? []).length > 0)
    throw new ConfigError([
      { settings: ['dns.privateServer', 'dns.servers'], wrong: 'both are given', advice: 'give one' },
    ]);
  const { startPowerdns } = await import('../embedded/powerdns.ts');
  const zones = rows.flatMap((row) => row.zones?.(settingsOf(row, config)) ?? []);
  const start = (ending: AbortSignal) =>
    startPowerdns({ folder, log, ...place, zones, signal: AbortSignal.any([signal, ending]) });
  const server = await supervise('PowerDNS', start, { log });
  return {
    settings: { 'dns.servers': [place], 'dns.tsigKeyFile': server.current.keyFile },
    stop: () => server.stop(),
  };
}
