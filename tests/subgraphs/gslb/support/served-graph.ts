// The graph of GSLB with the conductor's links open, and real name servers that connect to them.
import { join } from 'node:path';
import { Answerer } from '../../../../dns/answerer/answerer.ts';
import { setCheckerRecord } from '../../../../platform/machines/checker-record.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import { NameServer } from '../../../../subgraphs/gslb/agents/nameserver/name-server.ts';
import { ConductorLinks } from '../../../../subgraphs/gslb/control/machines/conductor-links.ts';
import { planNames } from '../../../../subgraphs/gslb/control/plans/planning.ts';
import { connectChecker } from '../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../support/product/machines.ts';
import { GslbGraph, makeWorld, type World } from './gslb-graph.ts';

export interface Served {
  /** UUID of the name server's machine. */
  readonly id: string;
  readonly name: string;
  readonly answerer: Answerer;
  stop(): Promise<void>;
}

export class ServedGraph {
  readonly graph: GslbGraph;
  readonly world: World;
  readonly #folder: TemporaryFolder;
  readonly #authority: CertificateAndKey;
  readonly #links: ConductorLinks;
  readonly #served: Served[] = [];

  private constructor(
    { graph, world }: Pick<ServedGraph, 'graph' | 'world'>,
    folder: TemporaryFolder,
    authority: CertificateAndKey,
    links: ConductorLinks,
  ) {
    this.graph = graph;
    this.world = world;
    this.#folder = folder;
    this.#authority = authority;
    this.#links = links;
  }

  static async open(): Promise<ServedGraph> {
    const graph = await GslbGraph.open();
    // Runs before the links open: a zone gets its keys when they open, or a minute later.
    const world = await makeWorld(graph);
    const { db, wake, log, sealer, owner, egress } = graph;
    const authority = await testAuthority();
    const tls = await testMachine(authority, 'gslb', 'conductor', log);
    const links = new ConductorLinks({
      ...{ db, wake, log, sealer, owner, egress, signsZones: true },
      ...{ silenceMs: 600_000, heartbeatMs: 500, freshMs: 600_000 },
      nameServers: { host: '127.0.0.1', port: 0, tls },
    });
    await links.start();
    return new ServedGraph({ graph, world }, await temporaryFolder(), authority, links);
  }

  async close(): Promise<void> {
    for (const each of this.#served) await each.stop();
    await this.#links.stop();
    await this.graph.stop();
    await this.#folder.remove();
  }

  async serve(name: string): Promise<Served> {
    const { log, sealer } = this.graph;
    const listen = [{ address: '127.0.0.1', port: 0 }];
    const failed = (what: string, error?: unknown) => log.error({ err: error }, what);
    const disk = { path: join(this.#folder.path, name), sealer };
    const answerer = await Answerer.start({ listen, name, disk, failed });
    const tls = await testMachine(this.#authority, 'dns', name, log);
    const urls = [`wss://127.0.0.1:${this.#links.nameServerPort}/link`];
    const server = new NameServer({ answerer, listen, name, version: '0', urls, tls, log });
    server.start();
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= server.stop();
      return stopped;
    };
    const served = { id: tls.id, name, answerer, stop };
    this.#served.push(served);
    return served;
  }

  /** Plans all names like a worker. */
  async plan(): Promise<void> {
    const { db, wake } = this.graph;
    const names = (await db.query<{ id: string }>('SELECT id FROM gslb ORDER BY id')).map(({ id }) => id);
    await db.transaction((tx) => planNames(tx, { wake }, names));
  }

  /** Connects a checker of the vantage point, in the database only. */
  async checker(id: string, vantagePoint: string): Promise<void> {
    const { db, wake, owner } = this.graph;
    const machine = { id, name: `checker-${vantagePoint}` };
    const facts = { vantagePoint, version: '1.2.3', plugins: ['HTTP', 'TCP'] };
    await db.transaction((tx) => setCheckerRecord(tx, id, { vantagePoint }));
    await db.transaction((tx) => connectChecker(tx, wake, { machine, vantagePoint, facts, linkedTo: owner }));
  }
}
