// Our name servers with a conductor, and their answers for the zone. Each server is identified by its certificate, and
// keeps its plans on disk.
import { join } from 'node:path';
import { Answerer } from '../../../../dns/answerer/answerer.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import { NameServer } from '../../../../subgraphs/gslb/agents/nameserver/name-server.ts';
import { ConductorLinks } from '../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { type TestMachine, testMachine } from '../../../support/product/machines.ts';
import { type GslbPlace, zone } from './gslb-place.ts';

export interface ServedZone {
  readonly server: NameServer;
  readonly answerer: Answerer;
}

/** Opens the links that name servers connect to. `port`: the port of a previous conductor. */
export async function linksOf(place: GslbPlace, authority: CertificateAndKey, port = 0): Promise<ConductorLinks> {
  const { db, log, sealer, owner } = place.ground;
  const tls = await testMachine(authority, 'gslb', 'conductor', log);
  const links = new ConductorLinks({
    ...{ ...place.dependencies, db, log, sealer, owner, signsZones: false },
    nameServers: { host: '127.0.0.1', port, tls },
  });
  await links.start();
  return links;
}

interface ServedZones {
  readonly place: GslbPlace;
  readonly folder: string;
  /** Port of the conductor. */
  readonly port: number;
}

/** Starts a name server with the data that the folder has under its name. */
export async function serveZone(
  { place, folder, port }: ServedZones,
  name: string,
  tls: TestMachine,
): Promise<ServedZone> {
  const { log, sealer } = place.ground;
  const listen = [{ address: '127.0.0.1', port: 0 }];
  const disk = { path: join(folder, name), sealer };
  const failed = (what: string, error?: unknown) => log.error({ err: error }, what);
  const answerer = await Answerer.start({ listen, name, disk, failed });
  const urls = [`wss://127.0.0.1:${port}/link`];
  const server = new NameServer({ answerer, listen, name, version: '0', urls, tls, log });
  server.start();
  return { server, answerer };
}

/** The content that any server answered under each serial. */
export class Serials {
  readonly #contents = new Map<number, string>();
  /** Serials that stood for two contents. */
  readonly clashes: number[] = [];

  /** The current serial of a server; 0 if it has no zone. */
  serialOf({ answerer }: ServedZone): number {
    const [known] = answerer.stats().zones;
    const plan = answerer.plan(`${zone}.`);
    if (known === undefined || plan === undefined) return 0;
    const { history: _history, generation: _generation, soa: _soa, ...content } = plan;
    const names = [...content.names].sort((one, other) => (one.fqdn < other.fqdn ? -1 : 1));
    const text = JSON.stringify({ ...content, names });
    const before = this.#contents.get(known.serial);
    if (before !== undefined && before !== text) this.clashes.push(known.serial);
    this.#contents.set(known.serial, text);
    return known.serial;
  }
}
