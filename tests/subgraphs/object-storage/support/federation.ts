// A whole federation: the control plane with its graph, and clusters with a database, a disk, a server and a controller each, over real
// mutual TLS.
import { join } from 'node:path';
import { Database } from '../../../../platform/database/database.ts';
import { newKeyPair, SigningKeys } from '../../../../platform/secrets/key-pairs.ts';
import { Controller } from '../../../../subgraphs/object-storage/agents/controller/controller.ts';
import {
  ObjectServer,
  type ObjectServerTimes,
} from '../../../../subgraphs/object-storage/agents/server/object-server.ts';
import { ClusterLinks } from '../../../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import { serverRole } from '../../../../subgraphs/object-storage/engine/peers/peer-wire.ts';
import { openClusterKey } from '../../../../subgraphs/object-storage/engine/store/cluster-key.ts';
import { controllerRole } from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../support/product/machines.ts';
import { storeDatabase } from '../engine/store/store-database.ts';
import { ControlGraph } from './control-graph.ts';

interface FederationCluster {
  readonly id: string;
  readonly url: string;
  readonly server: ObjectServer;
  readonly controller: Controller;
  readonly db: Database;
  readonly folder: string;
  /** Restarts its stopped processes. */
  readonly again: () => Promise<FederationCluster>;
}

export class Federation {
  readonly #cleanup = new AsyncDisposableStack();
  readonly clusters = new Map<string, FederationCluster>();
  readonly graph: ControlGraph;

  private constructor(graph: ControlGraph) {
    this.graph = graph;
    this.#cleanup.defer(() => graph.stop());
  }

  /** Starts clusters with these names, each serving. */
  static async start(names: readonly string[], times?: ObjectServerTimes): Promise<Federation> {
    const federation = new Federation(await ControlGraph.open());
    try {
      await federation.#begin(names, times);
    } catch (error) {
      await federation.stop();
      throw error;
    }
    return federation;
  }

  /** The address where users reach a cluster. */
  url(name: string): string {
    return this.cluster(name).url;
  }

  cluster(name: string): FederationCluster {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) throw new Error(`no cluster ${name}`);
    return cluster;
  }

  /** Stops its controller and its server. Its data stays. */
  async away(name: string): Promise<void> {
    const { controller, server } = this.cluster(name);
    await controller.stop();
    await server.stop();
  }

  async back(name: string): Promise<void> {
    this.clusters.set(name, await this.cluster(name).again());
  }

  stop(): Promise<void> {
    return this.#cleanup.disposeAsync();
  }

  async #begin(names: readonly string[], times: ObjectServerTimes | undefined): Promise<void> {
    const { graph } = this;
    const { log } = graph;
    const cleanup = this.#cleanup;
    const authority = await testAuthority();
    const links = new ClusterLinks({
      ...{ db: graph.db, wake: graph.wake, log, owner: graph.owner },
      place: {
        ...{ host: '127.0.0.1', port: 0, tls: await testMachine(authority, 'object-storage', 'control-plane', log) },
        signingKeys: new SigningKeys({ active: 'k1', keys: { k1: newKeyPair().privateText } }),
      },
    });
    await links.start();
    cleanup.defer(() => links.stop());
    const folder = await temporaryFolder();
    cleanup.defer(() => folder.remove());
    for (const name of names) {
      const [peerPort, s3Port] = [await freePort(), await freePort()];
      const url = `http://127.0.0.1:${s3Port}`;
      const wish = { name, peerUrls: [`https://127.0.0.1:${peerPort}`], s3Urls: [url] };
      const id = await graph.make('objectClusterCreate', wish);
      const db = new Database({ connection: await storeDatabase(cleanup) });
      cleanup.defer(() => db.close());
      const key = await openClusterKey(db, graph.sealer);
      const common = { db, key, log, version: 'test', name: `${name}-1` };
      const serverTls = await testMachine(authority, serverRole, `${name}-1`, log);
      const tls = await testMachine(authority, controllerRole, `${name}-1`, log);
      const own = join(folder.path, name);
      const again = async (): Promise<FederationCluster> => {
        // Started in an order in which nothing is there yet, so each waits for what it needs.
        const server = new ObjectServer({
          ...{ ...common, cluster: name, folder: own, keepFreeBytes: 0, ...(times && { times }) },
          peers: { host: '127.0.0.1', port: peerPort, tls: serverTls },
          s3: { host: '127.0.0.1', port: s3Port, region: 'us-east-1' },
        });
        server.start();
        cleanup.defer(() => server.stop());
        const controller = new Controller({ ...common, tls, urls: [`wss://127.0.0.1:${links.port}/link`] });
        await controller.start();
        cleanup.defer(() => controller.stop());
        await waitFor(`${name} to serve`, () => server.s3Url !== undefined);
        return { id, url, server, controller, db, folder: own, again };
      };
      this.clusters.set(name, await again());
    }
  }
}
