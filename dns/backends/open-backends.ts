// Backends of the database. Each is opened when one of its names is first published, and reopened after an administrator has
// changed it.
import type { Database } from '../../platform/database/database.ts';
import { Refusal } from '../../platform/errors/errors.ts';
import type { EgressPolicy } from '../../platform/net/egress.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import type { OpenBackends } from '../publish/zone-servers.ts';
import { DnsError } from '../servers/dns-error.ts';
import type { RecordServer, ZoneServer } from '../servers/record-server.ts';
import { placeOf } from '../servers/transport.ts';
import type { TsigKey } from '../wire/tsig.ts';
import type { BackendRow, BackendSecret } from './backend.ts';
import { openSecret } from './backend-secret.ts';
import { readBackend } from './backend-store.ts';

export interface BackendOpenerOptions {
  readonly db: Database;
  readonly egress: EgressPolicy;
  readonly sealer: () => Promise<Sealer>;
  readonly timeoutMs: number;
}

export type BackendServer = RecordServer & Partial<ZoneServer>;

interface Opened {
  readonly version: number;
  readonly servers: readonly BackendServer[];
  readonly transferKey: TsigKey | undefined;
}

export class BackendOpener implements OpenBackends {
  readonly #options: BackendOpenerOptions;
  readonly #opened = new Map<string, Opened>();

  constructor(options: BackendOpenerOptions) {
    this.#options = options;
  }

  /** Throws DnsError UNAUTHORIZED when its secret can't be opened. */
  async serversOf(backendId: string): Promise<readonly BackendServer[] | undefined> {
    const row = await readBackend(this.#options.db, backendId);
    const known = this.#opened.get(backendId);
    if (row !== undefined && known?.version === row.version) return known.servers;
    this.#opened.delete(backendId);
    // Calls under way end with the connections, and the next attempt opens new ones.
    for (const each of known?.servers ?? []) void each.close?.();
    if (row === undefined) return undefined;
    const opened = await this.#open(row);
    this.#opened.set(backendId, opened);
    return opened.servers;
  }

  /** Key with which secondaries transfer the zones of an opened backend. */
  transferKeyOf(backendId: string): TsigKey | undefined {
    return this.#opened.get(backendId)?.transferKey;
  }

  async close(): Promise<void> {
    const all = [...this.#opened.values()].flatMap(({ servers }) => servers);
    this.#opened.clear();
    await Promise.all(all.map((each) => each.close?.()));
  }

  async #open(row: BackendRow): Promise<Opened> {
    try {
      const secret = openSecret(await this.#options.sealer(), row);
      const servers = await serversFor(row, secret, this.#options);
      return { version: row.version, servers, transferKey: transferKeyFrom(row, secret) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new DnsError('UNAUTHORIZED', error.message, { cause: error });
    }
  }
}

/** Opens the adapters for a backend's servers. */
async function serversFor(
  { spec }: BackendRow,
  { keySecret = '', apiKey = '', password = '' }: BackendSecret,
  { egress, timeoutMs }: Pick<BackendOpenerOptions, 'egress' | 'timeoutMs'>,
): Promise<readonly BackendServer[]> {
  switch (spec.type) {
    case 'ANSWERER':
      return [];
    case 'RFC2136': {
      const { Rfc2136Server } = await import('../servers/rfc2136-server.ts');
      const key = { name: spec.keyName, algorithm: spec.keyAlgorithm, secret: Buffer.from(keySecret, 'base64') };
      return spec.servers.map((each) => new Rfc2136Server({ place: placed(each), key, timeoutMs, egress }));
    }
    case 'POWERDNS': {
      const { PowerdnsServer } = await import('../servers/powerdns-server.ts');
      return spec.servers.map(
        ({ dns, ...place }) => new PowerdnsServer({ place, dns: placed(dns), apiKey, egress, timeoutMs }),
      );
    }
    case 'DESIGNATE': {
      const { DesignateServer } = await import('../servers/designate-server.ts');
      return [new DesignateServer({ ...spec, password, egress, timeoutMs })];
    }
  }
}

function transferKeyFrom({ spec }: BackendRow, { transferKeySecret }: BackendSecret): TsigKey | undefined {
  if (spec.type !== 'POWERDNS' || spec.transferKeyName === null || transferKeySecret === undefined) return undefined;
  const secret = Buffer.from(transferKeySecret, 'base64');
  return { name: spec.transferKeyName, algorithm: spec.transferKeyAlgorithm, secret };
}

function placed(text: string) {
  const place = placeOf(text);
  if (place === undefined) throw new Error(`${text} was checked when it was stored`);
  return place;
}
