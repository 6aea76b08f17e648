// The servers of a zone: of its backend, or of the settings.
import type { RecordServer } from '../servers/record-server.ts';
import { type KnownServer, knownServers } from './server-states.ts';

/** Backends of the database, opened when they are first needed. */
export interface OpenBackends {
  /** Undefined: there is no such backend. Throws DnsError when it can't be opened. */
  serversOf(backendId: string): Promise<readonly RecordServer[] | undefined>;
}

export interface ZoneServers {
  /** Of zones that name no backend. */
  readonly servers: readonly RecordServer[];
  /** Default: none. */
  readonly backends?: OpenBackends;
}

/** Throws DnsError. */
export async function serversOfBackend(
  { servers, backends }: ZoneServers,
  backendId: string | null,
): Promise<readonly KnownServer[]> {
  const found = backendId === null ? servers : await backends?.serversOf(backendId);
  return knownServers(backendId, found ?? []);
}
