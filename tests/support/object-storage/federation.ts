// A federation for tests: the control plane's graph with real users, and clusters that get their documents from it, each with a database, a
// disk, a controller with its endpoint, and a server.
import { join } from 'node:path';
import { Database } from '../../../platform/database/database.ts';
import type { CertificateAndKey } from '../../../platform/net/certificates.ts';
import { newKeyPair, SigningKeys } from '../../../platform/secrets/key-pairs.ts';
import { Controller } from '../../../subgraphs/object-storage/agents/controller/controller.ts';
import { ObjectServer } from '../../../subgraphs/object-storage/agents/server/object-server.ts';
import { ClusterLinks } from '../../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import { serverRole } from '../../../subgraphs/object-storage/engine/peers/peer-wire.ts';
import { type ClusterKey, openClusterKey } from '../../../subgraphs/object-storage/engine/store/cluster-key.ts';
import { controllerRole } from '../../../subgraphs/object-storage/wire/controller-wire.ts';
import { storeDatabase } from '../../subgraphs/object-storage/engine/store/store-database.ts';
import { ControlGraph } from '../../subgraphs/object-storage/support/control-graph.ts';
import { SystemBench } from '../../subgraphs/system/support/system-bench.ts';
import { freePort } from '../machine/free-port.ts';
import { temporaryFolder, waitFor } from '../machine/temporary-folder.ts';
import { type TestMachine, testAuthority, testMachine } from '../product/machines.ts';

export interface FederatedCluster {
  readonly name: string;
  readonly number: number;
  readonly url: string;
  readonly db: Database;
  readonly key: ClusterKey;
  readonly server: ObjectServer;
  controller: Controller;
  readonly controllerPort: number;
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test expects
  readonly json: any;
}

export class Federation {
  readonly graph: ControlGraph;
  /** Users, their passwords and the audit trail. */
  readonly bench: SystemBench;
  readonly authority: CertificateAndKey;
  readonly clusters = new Map<string, FederatedCluster>();
  readonly #cleanup: AsyncDisposableStack;
  readonly #controlPlane: TestMachine;
  readonly #signingKeys = new SigningKeys({ active: 'k1', keys: { k1: newKeyPair().privateText } });
  #folder = '';
  #links: ClusterLinks | undefined;
  #linkPort = 0;

  private constructor(
    graph: ControlGraph,
    authority: CertificateAndKey,
    controlPlane: TestMachine,
    cleanup: AsyncDisposableStack,
  ) {
    this.graph = graph;
    this.authority = authority;
    this.#controlPlane = controlPlane;
    this.#cleanup = cleanup;
    this.bench = new SystemBench(graph.place);
  }

  static async open(cleanup: AsyncDisposableStack): Promise<Federation> {
    const authority = await testAuthority();
    const graph = await ControlGraph.open();
    cleanup.defer(() => graph.stop());
    const controlPlane = await testMachine(authority, 'object-storage', 'control-plane', graph.log);
    const federation = new Federation(graph, authority, controlPlane, cleanup);
    cleanup.defer(() => federation.bench.db.close());
    const folder = await temporaryFolder();
    cleanup.defer(() => folder.remove());
    federation.#folder = folder.path;
    federation.#linkPort = await freePort();
    await federation.openControlPlane();
    cleanup.defer(() => federation.closeControlPlane());
    return federation;
  }

  /** Lets clusters connect to it again. */
  async openControlPlane(): Promise<void> {
    const { db, wake, log, owner } = this.graph;
    this.#links = new ClusterLinks({
      ...{ db, wake, log, owner, checkLogin: this.bench.system.checkLogin },
      place: { host: '127.0.0.1', port: this.#linkPort, tls: this.#controlPlane, signingKeys: this.#signingKeys },
    });
    await this.#links.start();
  }

  /** Simulates its absence. Clusters keep running. */
  async closeControlPlane(): Promise<void> {
    await this.#links?.stop();
    this.#links = undefined;
  }

  async add(name: string): Promise<FederatedCluster> {
    const { graph, authority } = this;
    const { log } = graph;
    const [peerPort, s3Port, controllerPort] = [await freePort(), await freePort(), await freePort()];
    await graph.make('objectClusterCreate', {
      ...{ name, peerUrls: [`https://127.0.0.1:${peerPort}`], s3Urls: [`http://127.0.0.1:${s3Port}`] },
      controllerUrls: [`https://127.0.0.1:${controllerPort}`],
    });
    const db = new Database({ connection: await storeDatabase(this.#cleanup) });
    this.#cleanup.defer(() => db.close());
    const key = await openClusterKey(db, graph.sealer);
    const common = { db, key, log, version: 'test', name: `${name}-1` };
    const server = new ObjectServer({
      ...{ ...common, cluster: name, folder: join(this.#folder, name), keepFreeBytes: 0 },
      peers: { host: '127.0.0.1', port: peerPort, tls: await testMachine(authority, serverRole, `${name}-1`, log) },
      s3: { host: '127.0.0.1', port: s3Port, region: 'us-east-1' },
    });
    server.start();
    this.#cleanup.defer(() => server.stop());
    const controller = await this.#control({ name, db, key, controllerPort }, this.#linkPort);
    await waitFor(`${name} to serve`, () => server.s3Url !== undefined);
    const [row] = await graph.db.query<{ number: number }>('SELECT number FROM object_cluster WHERE name = ?', [name]);
    const url = `http://127.0.0.1:${s3Port}`;
    const cluster = { name, number: row?.number ?? -1, url, db, key, server, controller, controllerPort };
    this.clusters.set(name, cluster);
    return cluster;
  }

  /** The cluster's controller no longer reaches the control plane; others do. */
  async cutOff(name: string): Promise<void> {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) throw new Error(`there is no cluster ${name}`);
    await cluster.controller.stop();
    cluster.controller = await this.#control(cluster, await freePort());
  }

  async #control(
    { name, db, key, controllerPort }: Pick<FederatedCluster, 'name' | 'db' | 'key' | 'controllerPort'>,
    linkPort: number,
  ): Promise<Controller> {
    const { log } = this.graph;
    const controller = new Controller({
      ...{ db, key, log, version: 'test', name: `${name}-1`, urls: [`wss://127.0.0.1:${linkPort}/link`] },
      tls: await testMachine(this.authority, controllerRole, `${name}-1`, log),
      endpoint: { host: '127.0.0.1', port: controllerPort, tokenMinutes: 60 },
    });
    await controller.start();
    this.#cleanup.defer(() => controller.stop());
    return controller;
  }

  /** Calls the users' port of a cluster. */
  async call(
    cluster: string,
    method: string,
    path: string,
    options: {
      readonly token?: string;
      readonly body?: string | Buffer;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Answered> {
    const { token, body, headers } = options;
    const answer = await fetch(`${this.clusters.get(cluster)?.url}${path}`, {
      ...{ method, redirect: 'error' },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  logIn(cluster: string, body: object): Promise<Answered> {
    return this.call(cluster, 'POST', '/-/login', { body: JSON.stringify(body) });
  }
}
