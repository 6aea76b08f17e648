// The servers of a zone: those of its backend, those in the settings, or the server of the primary data host.

import { newestTimelineSql } from '../../platform/database/commits.ts';
import type { Sql } from '../../platform/database/database.ts';
import { DnsError } from '../servers/dns-error.ts';
import type { RecordServer } from '../servers/record-server.ts';
import { type KnownServer, knownServers } from './server-states.ts';

/** Backends of the database, opened when they are first needed. */
export interface OpenBackends {
  /** Undefined if there is no such backend. Throws DnsError when it can't be opened. */
  serversOf(backendId: string): Promise<readonly RecordServer[] | undefined>;
}

/** Each data host has a name server of its own, and only the primary's counts. */
export interface DataHostServers {
  /** Server of the primary in this epoch. Undefined if no primary is known. */
  readonly led: { readonly server: RecordServer; readonly epoch: number } | undefined;
}

export interface ZoneServers {
  /** Servers of zones without a backend. */
  readonly servers: readonly RecordServer[] | DataHostServers;
  /** Default: none. */
  readonly backends?: OpenBackends;
}

/** Throws DnsError. */
export async function serversOfBackend(
  { servers, backends }: ZoneServers,
  backendId: string | null,
): Promise<readonly KnownServer[]> {
  if (backendId !== null) return knownServers(backendId, (await backends?.serversOf(backendId)) ?? []);
  if (!('led' in servers)) return knownServers(null, servers);
  const { led } = servers;
  if (led === undefined) throw new DnsError('CHANGED_MEANWHILE', 'no data host takes writes, as far as is known');
  return knownServers(null, [led.server]).map((each) => ({ ...each, epoch: led.epoch }));
}

/**
 * Checks in the transaction that records the servers' state that the primary is still the one for which they were chosen.
 * Otherwise their state does not count. Throws DnsError.
 */
export async function requireSamePrimary(tx: Sql, servers: readonly KnownServer[]): Promise<void> {
  const chosen = servers.find(({ epoch }) => epoch !== undefined);
  if (chosen === undefined) return;
  const [row] = await tx.query<{ epoch: number | null }>(`SELECT ${newestTimelineSql} AS epoch`);
  if ((row?.epoch ?? 0) !== chosen.epoch)
    throw new DnsError('CHANGED_MEANWHILE', `${chosen.server.name} is not the primary's any more`);
}
