// Object storage clusters for tests, each with its own database, folder and server, connected over mutual TLS on
// loopback. The test writes the control plane's documents.
import { join } from 'node:path';
import { pino } from 'pino';
import { Database } from '../../../platform/database/database.ts';
import type { CertificateAndKey } from '../../../platform/net/certificates.ts';
import { firstRing, type RingWish } from '../../../platform/rings/next-ring.ts';
import type { Ring } from '../../../platform/rings/ring.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import type { JsonValue } from '../../../platform/values/json.ts';
import {
  ObjectServer,
  type ObjectServerOptions,
} from '../../../subgraphs/object-storage/agents/server/object-server.ts';
import { type ClusterKey, openClusterKey } from '../../../subgraphs/object-storage/engine/store/cluster-key.ts';
import { DocumentStore } from '../../../subgraphs/object-storage/engine/store/document-store.ts';
import { preparedByReplica } from '../../../subgraphs/object-storage/engine/store/padded.ts';
import type { TakeOver } from '../../../subgraphs/object-storage/wire/controller-wire.ts';
import type { RingDocument } from '../../../subgraphs/object-storage/wire/documents/documents.ts';
import { groupOf } from '../../../subgraphs/object-storage/wire/documents/ring-clusters.ts';
import { sealedPlace, sealFor } from '../../../subgraphs/object-storage/wire/documents/seal-for.ts';
import { type Location, storeDatabase } from '../../subgraphs/object-storage/engine/store/store-database.ts';
import { freePort } from '../machine/free-port.ts';
import { temporaryFolder, waitFor } from '../machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../product/machines.ts';
import { CutLink } from './cut-link.ts';
import { type Credentials, S3TestClient } from './s3-client.ts';

const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
const region = 'us-east-1';
const usualNames: readonly string[] = ['north', 'south', 'east'];

const account = 'a'.repeat(32);
const credentials: Credentials = {
  accessKeyId: 'TGREAL00000000000001',
  secret: 'secret/of+the/account/0123456789abcdef01',
};

/** Creates the container once clusters reach each other. A timed-out request may already have created it. */
export async function makeContainer(client: S3TestClient, name: string): Promise<void> {
  await waitFor(`the container ${name}`, async () =>
    [200, 409].includes((await client.send({ method: 'PUT', path: `/${name}` })).status),
  );
}

export class RealCluster {
  readonly name: string;
  readonly number: number;
  readonly folder: string;
  readonly location: Location;
  readonly #authority: CertificateAndKey;
  readonly #peerPort: number;
  readonly #s3Port: number;
  readonly db: Database;
  readonly key: ClusterKey;
  readonly #scrub: ObjectServerOptions['scrub'];
  readonly #times: ObjectServerOptions['times'];
  /** The error of its servers' clock. */
  aheadMs = 0;
  server: ObjectServer | undefined;

  constructor(dependencies: {
    readonly name: string;
    readonly number: number;
    readonly folder: string;
    readonly location: Location;
    readonly authority: CertificateAndKey;
    readonly ports: readonly [number, number];
    readonly db: Database;
    readonly key: ClusterKey;
    readonly scrub: ObjectServerOptions['scrub'];
    readonly times: ObjectServerOptions['times'];
  }) {
    this.name = dependencies.name;
    this.number = dependencies.number;
    this.folder = dependencies.folder;
    this.location = dependencies.location;
    this.#authority = dependencies.authority;
    [this.#peerPort, this.#s3Port] = dependencies.ports;
    this.db = dependencies.db;
    this.key = dependencies.key;
    this.#scrub = dependencies.scrub;
    this.#times = dependencies.times;
  }

  get peerUrl(): string {
    return `https://127.0.0.1:${this.#peerPort}`;
  }

  /** A link to it, for one other cluster. */
  link(): Promise<CutLink> {
    return CutLink.to(this.#peerPort);
  }

  async start(): Promise<void> {
    this.server = await this.#serve(1, this.#peerPort, this.#s3Port);
  }

  /** Starts one more server on the same database and disk, unknown to other clusters. The caller stops it. */
  async startAnother(): Promise<ObjectServer> {
    return this.#serve(2, await freePort(), await freePort());
  }

  async #serve(number: number, peerPort: number, s3Port: number): Promise<ObjectServer> {
    const { name, folder, db, key } = this;
    const own = `${name}-${number}`;
    const tls = await testMachine(this.#authority, 'objectserver', own, log);
    const server = new ObjectServer({
      ...{ db, folder, keepFreeBytes: 0, cluster: name, key, name: own, version: 'test', log },
      peers: { host: '127.0.0.1', port: peerPort, tls },
      s3: { host: '127.0.0.1', port: s3Port, region },
      nowMs: () => Date.now() + this.aheadMs,
      ...(this.#scrub === undefined ? {} : { scrub: this.#scrub }),
      ...(this.#times === undefined ? {} : { times: this.#times }),
    });
    server.start();
    await waitFor(`${own} to serve`, () => server.s3Url !== undefined);
    return server;
  }

  /** True if it votes in all its partitions. A new cluster does once the others confirm that it was not here before. */
  async votes(): Promise<boolean> {
    const [row] = await this.db.query<{ held: number; ready: number | null }>(
      'SELECT COUNT(*) AS held, SUM(is_ready) AS ready FROM store_partition WHERE is_held',
    );
    return row !== undefined && row.held > 0 && row.held === Number(row.ready);
  }

  /** The partitions of a ring that it takes over in its present epoch. */
  takeOver(ring: number): TakeOver | undefined {
    return this.server?.takeOvers().find((each) => each.ring === ring);
  }

  /** Takes the cluster away. It keeps its data. */
  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  client(): S3TestClient {
    return new S3TestClient({ url: `http://127.0.0.1:${this.#s3Port}`, credentials, region });
  }
}

export class RealClusters {
  readonly clusters: readonly RealCluster[];
  #generation = 10;

  private constructor(clusters: readonly RealCluster[]) {
    this.clusters = clusters;
  }

  static async start(
    cleanup: AsyncDisposableStack,
    names = usualNames,
    members = names,
    scrub?: ObjectServerOptions['scrub'],
    started = names,
    times?: ObjectServerOptions['times'],
  ): Promise<RealClusters> {
    const authority = await testAuthority();
    const folder = await temporaryFolder();
    cleanup.defer(() => folder.remove());
    const sealer = createSealer(new Keyring({ active: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } }));
    const clusters = await Promise.all(
      names.map(async (name, number) => {
        const location = await storeDatabase(cleanup);
        const db = new Database({ connection: location, preparedKept: preparedByReplica });
        cleanup.defer(() => db.close());
        const key = await openClusterKey(db, sealer);
        const ports = [await freePort(), await freePort()] as const;
        return new RealCluster({
          name,
          number,
          folder: join(folder.path, name),
          location,
          authority,
          ports,
          db,
          key,
          scrub,
          times,
        });
      }),
    );
    const all = new RealClusters(clusters);
    await all.#tell(members);
    cleanup.defer(async () => {
      await Promise.all(clusters.map((each) => each.stop()));
    });
    await Promise.all(clusters.filter(({ name }) => started.includes(name)).map((each) => each.start()));
    if (members.every((name) => started.includes(name)))
      for (const name of members) await waitFor(`${name} to vote`, () => all.get(name).votes());
    return all;
  }

  get(name: string): RealCluster {
    const found = this.clusters.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no cluster ${name}`);
    return found;
  }

  /** The members of the first rings. Other clusters wait. */
  wish(names: readonly string[], replicas = 3): RingWish {
    return { members: names.map((name) => ({ cluster: this.get(name).number, weight: 1, zone: name })), replicas };
  }

  /** Sends a ring, or a step of its change, like the control plane. */
  async tellRing(ring: number, epoch: number, rings: readonly Ring[], more: Partial<RingDocument> = {}): Promise<void> {
    const groups = rings.map(groupOf);
    const members = (rings.at(-1)?.members ?? []).map((member) => ({ ...member }));
    const plain = { isEmpty: false, isPaused: false, recovering: [] };
    await this.#put('ring', String(ring), { ...plain, ring, epoch, groups, members, ...more });
  }

  async #tell(members: readonly string[]): Promise<void> {
    const ring = firstRing(this.wish(members));
    const { accessKeyId, secret } = credentials;
    const sealed = Object.fromEntries(
      this.clusters.map(({ number, key }) => [
        number,
        sealFor(key.publicKey, secret, sealedPlace(accessKeyId, number)),
      ]),
    );
    await this.#put(
      'clusters',
      '',
      this.#named(({ peerUrl }) => peerUrl),
    );
    await this.tellOption({ nearestReads: false });
    for (const number of [0, 1]) await this.tellRing(number, 1, [ring], { isEmpty: true });
    await this.#put('account', account, { id: account, projectId: newUuid(), name: 'alice', state: 'ACTIVE' });
    await this.#put('key', accessKeyId, { accessKeyId, accountId: account, canWrite: true, sealed, isRevoked: false });
  }

  /** Sends the default option. `others`: further options, from number 2. */
  async tellOption({
    nearestReads,
    others = [],
  }: {
    readonly nearestReads: boolean;
    readonly others?: readonly string[];
  }): Promise<void> {
    const options = ['standard', ...others].map((name, at) => ({
      ...{ number: at + 1, id: newUuid(), name, replicas: 3, nearestReads, isDefault: at === 0 },
    }));
    await this.#put('options', '', { options });
  }

  /** From now on the other clusters and this one connect over links that can be cut. */
  async linksOf(name: string, cleanup: AsyncDisposableStack): Promise<readonly CutLink[]> {
    const links: CutLink[] = [];
    const linked = async (to: RealCluster) => {
      const link = await to.link();
      cleanup.defer(() => link.close());
      links.push(link);
      return `https://127.0.0.1:${link.port}`;
    };
    for (const from of this.clusters) {
      const urls = new Map<RealCluster, string>();
      for (const to of this.clusters)
        urls.set(to, from !== to && (from.name === name || to.name === name) ? await linked(to) : to.peerUrl);
      await this.#put(
        'clusters',
        '',
        this.#named((to) => urls.get(to) ?? to.peerUrl),
        [from],
      );
    }
    return links;
  }

  #named(urlOf: (cluster: RealCluster) => string) {
    return {
      clusters: this.clusters.map((each) => ({
        ...{ number: each.number, id: newUuid(), name: each.name, zone: each.name, weight: 1, state: 'ACTIVE' },
        ...{ peerUrls: [urlOf(each)], controllerUrls: [], s3Urls: [], publicKey: each.key.publicKey },
      })),
    };
  }

  async #put(kind: string, key: string, body: unknown, at: readonly RealCluster[] = this.clusters): Promise<void> {
    this.#generation += 1;
    const document = {
      kind,
      key,
      generation: this.#generation,
      body: JSON.stringify(body as JsonValue),
      signature: 'k/s',
    };
    await Promise.all(at.map(({ db }) => new DocumentStore(db).put([document])));
  }
}
