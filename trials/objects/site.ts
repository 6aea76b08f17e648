// Four object storage clusters, each with its own database, disk and servers, connected by network paths that can be cut. The trial writes
// the documents in place of the control plane, so that each cluster gets its own paths to the others.
// needs: system
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { platformMigrations } from '../../compose/places.ts';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { CommandChild } from '../../measure/command-child.ts';
import { Database } from '../../platform/database/database.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { firstRing, nextRing, type RingWish } from '../../platform/rings/next-ring.ts';
import { clustersOfPartition, copyingIn, partitionOf, type Ring } from '../../platform/rings/ring.ts';
import { Keyring } from '../../platform/secrets/keyring.ts';
import { createSealer } from '../../platform/secrets/seal.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { ObjectServerTimes } from '../../subgraphs/object-storage/agents/server/object-server.ts';
import { type ClusterKey, openClusterKey } from '../../subgraphs/object-storage/engine/store/cluster-key.ts';
import { DocumentStore } from '../../subgraphs/object-storage/engine/store/document-store.ts';
import { objectClusterMigrations } from '../../subgraphs/object-storage/engine/store/owner.ts';
import type { TakeOver } from '../../subgraphs/object-storage/wire/controller-wire.ts';
import { groupOf } from '../../subgraphs/object-storage/wire/documents/ring-clusters.ts';
import { sealedPlace, sealFor } from '../../subgraphs/object-storage/wire/documents/seal-for.ts';
import type { StoredDocument } from '../../subgraphs/object-storage/wire/documents/stored-document.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { type Credentials, S3TestClient } from '../../tests/support/object-storage/s3-client.ts';
import { testAuthority, testMachine } from '../../tests/support/product/machines.ts';
import { keyFile } from '../../tests/support/product/test-context.ts';
import { Way } from '../gslb-outage/way.ts';
import { SiteServer } from '../lb-heal/site.ts';
import type { Program } from './program.ts';

type Mariadb = SiteServer<Awaited<ReturnType<typeof startMariadb>>>;

export const account = 'a'.repeat(32);
const credentials: Credentials = {
  accessKeyId: 'TGTRIAL0000000000001',
  secret: 'secret/of+the/trials/0123456789abcdef012',
};
const script = fileURLToPath(new URL('./program.ts', import.meta.url));
const log = pino({ level: 'silent' });
const lookMs = 200;
const otherOption = 'other';

export interface SiteOptions {
  readonly names?: readonly string[];
  readonly replicas?: number;
  /** Per cluster. */
  readonly servers?: number;
  /** The cluster that is not in the first ring. `comeBack` adds it. */
  readonly waiting?: string | undefined;
  readonly times?: ObjectServerTimes;
  /** Whether the paths between clusters can be cut; default true. */
  readonly ways?: boolean;
  /** Whether there is another option, with ring 2, which changes after the other rings; default false. */
  readonly hasOther?: boolean;
}

/** Rings that change together. */
interface Changing {
  readonly numbers: readonly number[];
  /** The ring between changes. */
  ring: Ring;
  epoch: number;
}

/** A server's report. */
interface Told {
  /** Null if the process serves. */
  readonly waitsFor: string | null;
  /** The reason why its cluster does not vote. Null if it votes. */
  readonly lost: string | null;
}

/** A process that serves a cluster. */
class ClusterServer {
  readonly child: CommandChild;
  readonly #s3Port: number;
  #told: Promise<unknown> = Promise.resolve();

  constructor(file: string, s3Port: number, program: () => Program) {
    this.#s3Port = s3Port;
    this.child = new CommandChild({
      ...{ script, file },
      get program() {
        return program();
      },
    });
  }

  /** Undefined if it is not running. A stopped process answers when it continues. */
  async tell(line: string): Promise<Told | undefined> {
    const answer = this.#told.then(() => this.child.tell(line)).catch(() => undefined);
    this.#told = answer;
    return (await answer) as Told | undefined;
  }

  client(): S3TestClient {
    return new S3TestClient({ url: `http://127.0.0.1:${this.#s3Port}`, credentials });
  }
}

/** Faults of a cluster's machine. */
type LocalContext = Pick<Program, 'clockMs' | 'jumpMs' | 'isFull'>;

export class Cluster {
  readonly name: string;
  readonly number: number;
  /** Folder of its blobs. */
  readonly folder: string;
  /** Folder of its database. */
  readonly dataFolder: string;
  readonly mariadb: Mariadb;
  readonly db: Database;
  readonly key: ClusterKey;
  readonly servers: ClusterServer[] = [];
  readonly peerPorts: number[] = [];
  /** Paths to the other clusters, by number. */
  readonly ways = new Map<number, Way>();
  ground: LocalContext = { clockMs: 0, jumpMs: 0, isFull: false };

  constructor(parts: Pick<Cluster, 'name' | 'number' | 'folder' | 'dataFolder' | 'mariadb' | 'db' | 'key'>) {
    this.name = parts.name;
    this.number = parts.number;
    this.folder = parts.folder;
    this.dataFolder = parts.dataFolder;
    this.mariadb = parts.mariadb;
    this.db = parts.db;
    this.key = parts.key;
  }

  /** Servers that are not running get the change at their next start. */
  change(ground: Partial<LocalContext>): void {
    this.ground = { ...this.ground, ...ground };
    for (const server of this.servers) void server.tell(JSON.stringify(this.ground));
  }

  /** Reports of its servers. Undefined for a server that is not running. */
  told(): Promise<readonly (Told | undefined)[]> {
    return Promise.all(this.servers.map((server) => server.tell(JSON.stringify(this.ground))));
  }

  /** Stops its servers and its database. */
  async stop(): Promise<void> {
    await this.killServers();
    await this.mariadb.running.stop();
  }

  async start(): Promise<void> {
    await this.mariadb.start();
    await this.startServers();
  }

  async killServers(): Promise<void> {
    await Promise.all(this.servers.map(({ child }) => child.kill()));
  }

  async startServers(): Promise<void> {
    for (const { child } of this.servers) await child.start();
  }
}

export class Site {
  readonly clusters: Cluster[] = [];
  /** The number of clusters that must accept a write. */
  readonly quorum: number;
  readonly #options: Required<Omit<SiteOptions, 'waiting'>>;
  readonly #folder: string;
  readonly #data: DataFolder[] = [];
  /** The rings of names come first. */
  readonly #rings: readonly Changing[];
  #generation = 10;
  /** The newest document of each ring. */
  readonly #documents = new Map<string, StoredDocument>();
  /** The cluster that should not be in the ring, by name. */
  #left: string | undefined;
  #changed: Promise<void> = Promise.resolve();
  /** A cluster waits for its recovery, because ring changes have to end first. */
  #isRecovering = false;
  #isClosed = false;

  private constructor(folder: string, options: SiteOptions) {
    const { names = ['north', 'south', 'east', 'west'], replicas = 3, servers = 1 } = options;
    const { times = {}, ways = true, hasOther = false } = options;
    this.#folder = folder;
    this.#options = { names, replicas, servers, times, ways, hasOther };
    this.#left = options.waiting;
    const ring = firstRing(this.#wish());
    this.#rings = [[0, 1], ...(hasOther ? [[2]] : [])].map((numbers) => ({ numbers, ring, epoch: 1 }));
    this.quorum = Math.floor(replicas / 2) + 1;
  }

  static async open(options: SiteOptions = {}): Promise<Site> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'objects-')));
    const site = new Site(folder, options);
    try {
      await site.#start();
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  /** The ring of names, between changes. */
  get ring(): Ring {
    return (this.#rings[0] as Changing).ring;
  }

  /** Name of an option other than the containers'. Undefined if there is none. */
  get otherOption(): string | undefined {
    return this.#options.hasOther ? otherOption : undefined;
  }

  /** The clusters that hold names of this scope, or a blob with this name in it. */
  holders(key: string): readonly number[] {
    return clustersOfPartition(this.ring, partitionOf(key));
  }

  /** Moves the ring away from a cluster, as the control plane does. Resolves at once. False if it is already moving away from another one. */
  leave(cluster: Cluster): boolean {
    if (this.#left !== undefined) return false;
    this.#left = cluster.name;
    this.#changed = this.#changed.then(() => this.#changeRing());
    return true;
  }

  /** Moves the ring back, and resolves when that is done. Resolves when that is done. */
  comeBack(): Promise<void> {
    this.#left = undefined;
    this.#changed = this.#changed.then(() => this.#changeRing());
    return this.#changed;
  }

  #wish(): RingWish {
    const { names, replicas } = this.#options;
    const members = names
      .map((name, cluster) => ({ cluster, weight: 1, zone: name }))
      .filter(({ zone }) => zone !== this.#left);
    return { members, replicas };
  }

  /**
   * The cluster copies the data of the others, as after `rings change --recover`. A running ring change is cancelled first, and starts
   * again afterwards. The cluster's database runs, but its servers do not. They are started in between.
   */
  async recover(cluster: Cluster): Promise<void> {
    this.#isRecovering = true;
    const recovered = this.#changed.then(() => this.#recover(cluster));
    this.#changed = recovered.then(
      () => this.#changeRing(),
      () => undefined,
    );
    await recovered;
  }

  /** Gives a cluster the documents that it lacks, as its controller would. */
  async tellAgain({ db }: Cluster): Promise<void> {
    await new DocumentStore(db).put([...this.#documents.values()]);
  }

  async #recover(cluster: Cluster): Promise<void> {
    this.#isRecovering = false;
    const recovering = [cluster.number];
    for (const changing of this.#rings) {
      changing.epoch += 1;
      this.#tellRings(changing.numbers, changing.epoch, [changing.ring], recovering);
    }
    await this.tellAgain(cluster);
    await cluster.startServers();
    for (const { numbers, epoch, ring } of this.#rings) {
      await this.#until(() => hasTakenOver(cluster, numbers, epoch));
      this.#tellRings(numbers, epoch, [ring]);
    }
  }

  async #changeRing(): Promise<void> {
    for (const changing of this.#rings) while (await this.#step(changing));
  }

  /** True if another step is possible. */
  async #step(changing: Changing): Promise<boolean> {
    const { numbers, ring } = changing;
    const next = nextRing(ring, this.#wish());
    if (next === undefined || this.#isRecovering || this.#isClosed) return false;
    const epoch = changing.epoch + 1;
    this.#tellRings(numbers, epoch, [ring, next]);
    const copying = copyingIn(ring, next);
    let isDone = true;
    for (const cluster of this.clusters.filter(({ number }) => copying.includes(number)))
      isDone &&= await this.#until(
        () => hasTakenOver(cluster, numbers, epoch),
        () => this.#isRecovering,
      );
    // A cancelled change leaves the ring as it was, in a later epoch.
    changing.epoch = epoch + 1;
    if (isDone) changing.ring = next;
    this.#tellRings(numbers, changing.epoch, [changing.ring]);
    return isDone;
  }

  /** False if the move was given up, or the site is closed. */
  async #until(check: () => Promise<boolean>, isGivenUp = () => false): Promise<boolean> {
    while (!this.#isClosed && !isGivenUp()) {
      if (await check().catch(() => false)) return true;
      await sleep(lookMs);
    }
    return false;
  }

  /** Each cluster gets the rings when its database accepts them. */
  #tellRings(
    numbers: readonly number[],
    epoch: number,
    rings: readonly Ring[],
    recovering: readonly number[] = [],
  ): void {
    const groups = rings.map(groupOf);
    const documents = numbers.map((ring) => {
      this.#generation += 1;
      const body = { ring, epoch, isEmpty: false, groups, members: rings.at(-1)?.members, recovering };
      return {
        ...{ kind: 'ring', key: String(ring), generation: this.#generation, body: JSON.stringify(body) },
        signature: 'k/s',
      } as const;
    });
    for (const document of documents) this.#documents.set(document.key, document);
    for (const { db } of this.clusters) void this.#until(() => new DocumentStore(db).put(documents).then(() => true));
  }

  /** Waits until their servers answer users. */
  async untilServed(clusters: readonly Cluster[] = this.clusters): Promise<void> {
    for (const cluster of clusters)
      for (const server of cluster.servers)
        await waitFor(`${cluster.name} to serve`, async () => {
          const told = await server.tell(JSON.stringify(cluster.ground));
          return told?.waitsFor === null;
        });
  }

  async #start(): Promise<void> {
    const { names, servers, times } = this.#options;
    const sealer = createSealer(new Keyring(keyFile));
    const authority = await testAuthority();
    await Promise.all(
      names.map(async (name, number) => {
        const folder = await openDataFolder(join(this.#folder, name), { version: 1 });
        this.#data.push(folder);
        const mariadb = await SiteServer.of(() => startMariadb({ folder, log: silentLog }));
        const connection = mariadb.running.application;
        await migrate(connection, [platformMigrations, objectClusterMigrations]);
        const db = new Database({ connection, connectionLimit: 2 });
        const key = await openClusterKey(db, sealer);
        const [disk, dataFolder] = [join(this.#folder, `${name}-disk`), join(folder.path, 'mariadb', 'data')];
        const cluster = new Cluster({ name, number, folder: disk, dataFolder, mariadb, db, key });
        this.clusters[number] = cluster;
        for (let at = 1; at <= servers; at += 1) {
          const { cert, key: tlsKey, ca } = await testMachine(authority, 'objectserver', `${name}-${at}`, log);
          const [peerPort, s3Port] = [await freePort(), await freePort()];
          const fixed: Omit<Program, keyof LocalContext> = {
            ...{
              connection,
              folder: cluster.folder,
              cluster: name,
              name: `${name}-${at}`,
              key,
              peerPort,
              s3Port,
              times,
            },
            tls: { cert, key: tlsKey, ca },
          };
          const file = join(this.#folder, `${name}-${at}.json`);
          cluster.peerPorts.push(peerPort);
          cluster.servers.push(new ClusterServer(file, s3Port, () => ({ ...fixed, ...cluster.ground })));
        }
      }),
    );
    for (const cluster of this.#options.ways ? this.clusters : [])
      for (const other of this.clusters)
        if (other !== cluster) cluster.ways.set(other.number, await Way.open(other.peerPorts));
    await this.#tell();
    await Promise.all(this.clusters.flatMap((cluster) => cluster.servers.map(({ child }) => child.start())));
    await this.untilServed();
  }

  async #tell(): Promise<void> {
    const { ring } = this;
    const groups = [groupOf(ring)];
    const ringBody = (number: number) => ({ ring: number, epoch: 1, isEmpty: true, groups, members: ring.members });
    const { accessKeyId, secret } = credentials;
    const options = ['standard', ...(this.#options.hasOther ? [otherOption] : [])].map((name, at) => ({
      ...{ number: at + 1, id: newUuid(), name, replicas: ring.replicas, nearestReads: true, isDefault: at === 0 },
    }));
    const numbers = this.#rings.flatMap((changing) => changing.numbers);
    const sealed = Object.fromEntries(
      this.clusters.map(({ number, key }) => [
        number,
        sealFor(key.publicKey, secret, sealedPlace(accessKeyId, number)),
      ]),
    );
    const project = newUuid();
    const ids = this.clusters.map(() => newUuid());
    for (const cluster of this.clusters) {
      const clusters = this.clusters.map(({ number, name, key: { publicKey }, peerPorts }) => ({
        ...{ number, id: ids[number], name, zone: name, weight: 1, state: 'ACTIVE', publicKey },
        ...{ controllerUrls: [], s3Urls: [] },
        peerUrls: (cluster.ways.get(number)?.ports ?? peerPorts).map((port) => `https://127.0.0.1:${port}`),
      }));
      const documents: readonly (readonly [string, string, object])[] = [
        ['clusters', '', { clusters }],
        ['options', '', { options }],
        ...numbers.map((number) => ['ring', String(number), ringBody(number)] as const),
        ['account', account, { id: account, projectId: project, name: 'alice', state: 'ACTIVE' }],
        ['key', accessKeyId, { accessKeyId, accountId: account, canWrite: true, sealed, isRevoked: false }],
      ];
      const store = new DocumentStore(cluster.db);
      for (const [kind, key, body] of documents) {
        this.#generation += 1;
        const generation = this.#generation;
        await store.put([{ kind, key, generation, body: JSON.stringify(body), signature: 'k/s' }]);
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cluster of this.clusters.filter((each) => each !== undefined)) {
      await cluster.killServers();
      for (const way of cluster.ways.values()) way.close();
      await cluster.db.close().catch(() => undefined);
      const { pid } = cluster.mariadb.running;
      killQuietly(pid, 'SIGCONT');
      await cluster.mariadb.running.stop();
    }
    for (const folder of this.#data) {
      await folder.close();
      if (!folder.socketFolder.startsWith(this.#folder))
        await rm(folder.socketFolder, { recursive: true, force: true });
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Computed from the reports of its servers. */
async function hasTakenOver({ db }: Cluster, numbers: readonly number[], epoch: number): Promise<boolean> {
  const rows = await db.query<{ told: string | null }>('SELECT take_overs AS told FROM store_service');
  const told = rows.flatMap((row) => JSON.parse(row.told ?? '[]') as readonly TakeOver[]);
  return numbers.every((ring) => told.some((each) => each.ring === ring && each.epoch === epoch && each.left === 0));
}
