// The egress policy of this process: the rules from its settings, and the installation's own listeners.

import type { Logger } from '../platform/log/log.ts';
import { type EgressPolicy, egressFrom, type KnownListeners } from '../platform/net/egress.ts';
import { type Address, hostOf } from '../platform/net/origin.ts';
import { type OwnPlace, OwnPlaces } from '../platform/net/own-places.ts';
import { type Config, placeOf } from '../platform/process/config.ts';
import type { Lifecycle } from '../platform/process/lifecycle.ts';
import { sentinelPort } from './connections.ts';

export interface ProcessEgress {
  readonly policy: EgressPolicy;
  /** For listeners whose port is not in the settings. */
  readonly own: Pick<OwnPlaces, 'add'>;
}

export async function openEgress(
  config: Config,
  log: Logger,
  lifecycle: Lifecycle,
  subgraphs: readonly string[],
  lab?: KnownListeners,
): Promise<ProcessEgress> {
  const own = new OwnPlaces(log);
  await own.add(...placesIn(config, subgraphs));
  await lifecycle.add('own listeners', { start: () => own.start(), stop: () => own.stop() });
  const rules = { allow: config['egress.allow'], deny: config['egress.deny'] ?? [] };
  return { policy: egressFrom(rules, own.listeners, lab), own };
}

/** With the lab only its devices are reachable, unless the settings allow more. */
export function egressOfLab(config: Config): Pick<Config, 'egress.deny'> {
  return { 'egress.deny': config['egress.deny'] ?? ['0.0.0.0/0', '::/0'] };
}

/** The servers of the database that are listed. */
export function databasePlaces(config: Config): OwnPlace[] {
  const hosts = config['database.host'] ?? [];
  return hosts.map(({ host, port = config['database.port'] }) => ({ host, port, mayBeWider: true }));
}

function placesIn(config: Config, subgraphs: readonly string[]): OwnPlace[] {
  const listening = (host: string, port: number | undefined): OwnPlace[] =>
    port === undefined ? [] : [{ host, port }];
  const reached = (host: string | undefined, port: number): OwnPlace[] =>
    host === undefined ? [] : [{ host, port, mayBeWider: true }];
  // A server reached over a Unix socket may listen on TCP, too.
  const hostOf = (host: string | undefined, socket: string | undefined) =>
    host ?? (socket === undefined ? socket : '::');
  return [
    ...(config.roles.includes('gateway') ? listening(config['listen.host'], config['listen.port']) : []),
    ...databasePlaces(config),
    ...reached(hostOf(undefined, config['database.socketPath']), config['database.port']),
    ...reached(config['database.standbyHost'], config['database.standbyPort']),
    ...reached(hostOf(config['redis.host'], config['redis.path']), config['redis.port']),
    ...(config['redis.sentinels'] ?? []).flatMap(({ host, port = sentinelPort }) => reached(host, port)),
    ...listening(config['internal.host'], config['internal.graphPort']),
    ...config['internal.graphUrls'].map(addressOf).flatMap((at) => reached(at.host, at.port)),
    ...config.outsideSubgraphs.flatMap(({ urls }) => urls.map(addressOf)).flatMap((at) => reached(at.host, at.port)),
    ...subgraphs.flatMap((name) => {
      const { port, urls = [] } = placeOf(name, config);
      const elsewhere = urls.map(addressOf).flatMap((at) => reached(at.host, at.port));
      return [...listening(config['internal.host'], port), ...elsewhere];
    }),
  ];
}

/** Address of an `http` or `https` URL. */
export function addressOf(text: string): Address {
  const url = new URL(text);
  const usual = url.protocol === 'https:' ? 443 : 80;
  return { host: hostOf(url), port: url.port === '' ? usual : Number(url.port) };
}
