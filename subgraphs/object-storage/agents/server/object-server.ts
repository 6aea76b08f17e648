// A server of a cluster. Users access containers and objects through it (S3); other clusters' servers access its registers and blobs.
// Several servers may serve one cluster, on the same database and disk. It starts as soon as the documents name its cluster.
import { statfs } from 'node:fs/promises';
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { clustersOf } from '../../../../platform/registers/placement.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { BlobFolder } from '../../engine/blobs/blob-folder.ts';
import { ClusterNamespace } from '../../engine/federation/cluster-namespace.ts';
import { Collector } from '../../engine/namespace/collector.ts';
import { Containers } from '../../engine/namespace/containers.ts';
import { EndedUploads } from '../../engine/namespace/ended-uploads.ts';
import { Seals } from '../../engine/namespace/seals.ts';
import { catchUpCalls, catchUpPeer } from '../../engine/peers/catch-up-calls.ts';
import {
  type ContinuityPeer,
  continuityCalls,
  continuityPeer,
  type SeenRing,
} from '../../engine/peers/continuity-calls.ts';
import { type NearestPeer, nearestCalls, nearestPeer } from '../../engine/peers/nearest-calls.ts';
import type { PeerClient } from '../../engine/peers/peer-client.ts';
import { PeerServer } from '../../engine/peers/peer-server.ts';
import { serverRole } from '../../engine/peers/peer-wire.ts';
import { type ResyncPeer, resyncCalls, resyncPeer } from '../../engine/peers/resync-calls.ts';
import type { ServedRequest } from '../../engine/s3/served-request.ts';
import { createS3Server, type S3Server, type ServerTls } from '../../engine/s3/server.ts';
import type { TombstonePeer } from '../../engine/store/catch-up.ts';
import { ChangeLog } from '../../engine/store/change-log.ts';
import type { ClusterKey } from '../../engine/store/cluster-key.ts';
import { Continuity } from '../../engine/store/continuity.ts';
import { Counters } from '../../engine/store/counters.ts';
import { DocumentStore } from '../../engine/store/document-store.ts';
import { Durability } from '../../engine/store/durability.ts';
import { Follower, type Lag } from '../../engine/store/follower.ts';
import { hiddenRows } from '../../engine/store/hidden-rows.ts';
import { NamedBlobs } from '../../engine/store/named-blobs.ts';
import { Partitions } from '../../engine/store/partitions.ts';
import { positionsIn } from '../../engine/store/positions.ts';
import { openGates, sealedGates } from '../../engine/store/sealed-gates.ts';
import { type ServiceDisk, type ServiceLink, ServiceStore } from '../../engine/store/service-store.ts';
import { TombstoneCollector } from '../../engine/store/tombstone-collector.ts';
import { Tombstones } from '../../engine/store/tombstones.ts';
import { clusterOf } from '../../wire/cluster-names.ts';
import { controllerRole, type RingEnd, type TakeOver } from '../../wire/controller-wire.ts';
import { readStored } from '../../wire/documents/stored-document.ts';
import { resolverRole } from '../../wire/resolve-wire.ts';
import { Access } from './access.ts';
import { LoginCall } from './api/login-call.ts';
import { UserApi } from './api/user-api.ts';
import { ContinuityCheck } from './continuity-check.ts';
import { OwnBlobs } from './own-blobs.ts';
import { ReplicasNearby } from './replicas-nearby.ts';
import { Resync } from './resync.ts';
import { RingEndings } from './ring-endings.ts';
import { Scrubber, type ScrubberOptions, type ScrubFigures } from './scrubber.ts';
import { ServiceClient } from './service-client.ts';
import { TokenAccess } from './token-access.ts';
import { WorkShare } from './work-share.ts';

interface Place {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Retention times, and how often to look for leftovers. Defaults are those of the classes that use them. */
export interface ObjectServerTimes {
  /** An object must refer to a blob within this time after its upload began. */
  readonly uploadMs?: number;
  /** A multipart upload expires this long after it began. */
  readonly partsMs?: number;
  /** A reader of an object that is overwritten can continue for this long. */
  readonly readingMs?: number;
  readonly collectPauseMs?: number;
  readonly forgetAfterMs?: number;
  /** Pause between two marks that identify the cluster's database. */
  readonly markMs?: number;
  /** A deletion of a container is decided within this time after the seal; later its process counts as dead. */
  readonly sealedMs?: number;
  readonly forgetPauseMs?: number;
  /** A reader with an older ring still finds blobs that were left behind for this long. */
  readonly leavingMs?: number;
}

export interface ObjectServerOptions {
  /** The cluster's own database. */
  readonly db: Database;
  /** Folder of its blobs, the same for all servers of the cluster. */
  readonly folder: string;
  /** Free space to keep on its disk. */
  readonly keepFreeBytes: number;
  /** Name of the cluster. */
  readonly cluster: string;
  readonly key: ClusterKey;
  /** Name of this process, and version of the program. */
  readonly name: string;
  readonly version: string;
  /** Listener for the servers of other clusters. */
  readonly peers: Place & { readonly tls: MutualTls };
  /** Listener for users. */
  readonly s3: Place & {
    readonly tls?: ServerTls | undefined;
    readonly region: string;
    /** Host names by which users reach it, besides those of the cluster's URLs; lower case. */
    readonly names?: readonly string[];
  };
  /** Called for each finished request of a user. */
  readonly served?: (request: ServedRequest) => void;
  readonly log: Logger;
  readonly nowMs?: () => number;
  /** The clock for deletions by age (platform/leases/trusted-clock.ts); default `nowMs`. */
  readonly trustedNowMs?: () => number;
  /** Free space on its disk; default: what the system reports. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  readonly times?: ObjectServerTimes;
  /** Refuses users after this long without the control plane, because revocations would not arrive; default 24 hours. */
  readonly maxIsolationMs?: number;
  /** Most unfinished multipart uploads in a container; default is that of Objects. */
  readonly mostUploads?: number;
  /** Options of scrubbing. */
  readonly scrub?: Pick<ScrubberOptions, 'bytesPerSecond' | 'passMs' | 'lookMs' | 'youngMs'>;
}

const usualMaxIsolationMs = 24 * 3_600_000;
const isolationLookMs = 10_000;
const lookMs = 250;
const beatMs = 1_000;
const forgetMs = 3_600_000;

export class ObjectServer implements LifecycleComponent {
  readonly #options: ObjectServerOptions;
  readonly #documents: DocumentStore;
  readonly #services: ServiceStore;
  readonly #loop: Loop;
  readonly #beat: Loop;
  #serving: Serving | undefined;
  #waitsFor: string | null = 'the documents of the control plane';
  /** An administrator has drained it: it serves no users. */
  #isDrained = false;
  #forgotAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ObjectServerOptions) {
    const { db, log } = options;
    this.#options = options;
    this.#documents = new DocumentStore(db);
    this.#services = new ServiceStore(db);
    const loop = { log, pauseMs: () => lookMs };
    this.#loop = new Loop({ ...loop, name: 'server of object storage', run: () => this.#begin() });
    this.#beat = new Loop({
      ...{ log, name: 'presence of a server of object storage', pauseMs: () => beatMs },
      run: () => this.#tell(),
    });
  }

  /** URL for users. Undefined until it serves. */
  get s3Url(): string | undefined {
    return this.#serving?.s3Url;
  }

  get peerUrl(): string | undefined {
    return this.#serving?.peerUrl;
  }

  /** For each other cluster: changes that this one lacks. */
  lags(): ReadonlyMap<number, Lag> {
    return this.#serving?.lags() ?? new Map();
  }

  /** Scrubbing of its blobs. Undefined until it serves. */
  get scrubbed(): ScrubFigures | undefined {
    return this.#serving?.scrubbed;
  }

  /** Number of unreferenced blobs deleted since the start. */
  get collected(): number {
    return this.#serving?.collected ?? 0;
  }

  /** The disk of its blobs. Undefined while it has none. */
  disk(): Promise<ServiceDisk> | undefined {
    return this.#serving?.disk();
  }

  /** Progress for each ring of which this cluster is copying partitions in the current epoch. */
  takeOvers(): readonly TakeOver[] {
    return this.#serving?.takeOvers() ?? [];
  }

  /** Why it does not serve yet. Undefined once it does. */
  get waitsFor(): string | undefined {
    return this.#waitsFor ?? undefined;
  }

  /** Why this cluster does not vote although it serves. Undefined if it votes. */
  get lost(): string | undefined {
    return this.#serving?.lost;
  }

  /**
   * Why its disk takes no blobs (full or read-only). Undefined if it does. Small objects and deletions still work, and other clusters take
   * larger objects.
   */
  async diskFault(): Promise<string | undefined> {
    return await this.#serving?.diskFault();
  }

  start(): void {
    this.#loop.start();
    this.#beat.start();
  }

  async drain(): Promise<void> {
    await this.#loop.stop();
    await this.#beat.stop();
    const { name } = this.#options;
    await this.#services.gone({ role: serverRole, name }).catch(() => undefined);
    await this.#serving?.drain();
  }

  async stop(): Promise<void> {
    await this.drain();
    await this.#serving?.stop();
  }

  async #begin(): Promise<boolean> {
    if (this.#serving !== undefined) return false;
    const { cluster, db } = this.#options;
    const found = await this.#documents.find('clusters', '');
    const document = found && readStored(found);
    const known = document?.kind === 'clusters' ? (document.body?.clusters ?? []) : [];
    const own = known.find(({ name }) => name === cluster);
    if (own === undefined) {
      this.#waitsFor = `a document that names the cluster ${cluster}: its controller fetches it from the control plane`;
      return false;
    }
    const serving = new Serving(this.#options, own.number, this.#documents, db);
    try {
      await serving.start();
    } catch (error) {
      await serving.stop();
      throw error;
    }
    this.#serving = serving;
    this.#waitsFor = null;
    return false;
  }

  async #tell(): Promise<boolean> {
    const { name, version } = this.#options;
    const fault = this.#waitsFor === null ? this.#serving?.lost : `it waits for ${this.#waitsFor}`;
    const impaired = this.#serving?.waitsForOthers ?? (await this.diskFault());
    const state = {
      isReady: fault === undefined,
      message: fault ?? impaired ?? null,
      whenDrained: 'it is drained and serves no users',
      links: this.#serving?.links() ?? [],
      takeOvers: this.takeOvers(),
      ringEnds: this.#serving?.ringEnds() ?? [],
    };
    const disk = (await this.#serving?.disk()) ?? null;
    const { isDrained } = await this.#services.beat({ role: serverRole, name, version, disk, ...state });
    if (isDrained !== this.#isDrained) await this.#serving?.serveUsers(!isDrained);
    if (this.#serving !== undefined) this.#isDrained = isDrained;
    if (performance.now() - this.#forgotAtMs < forgetMs) return false;
    await this.#services.forgetSilent();
    this.#forgotAtMs = performance.now();
    return false;
  }
}

/** Another cluster, for catching up with it. */
interface Other {
  readonly client: PeerClient;
  readonly peer: TombstonePeer;
  readonly follower: Follower;
  readonly resync: ResyncPeer;
  readonly continuity: ContinuityPeer;
  readonly nearest: NearestPeer;
}

/** The parts that serve, once the cluster's number is known. */
class Serving {
  readonly #options: ObjectServerOptions;
  readonly #cluster: ClusterNamespace;
  readonly #partitions: Partitions;
  readonly #access: Access;
  readonly #tokens: TokenAccess;
  readonly #controllers: ServiceClient;
  readonly #resolvers: ServiceClient;
  readonly #others = new Map<number, Other>();
  readonly #entered = new Map<number, number>();
  readonly #changes: ChangeLog;
  readonly #tombstones: Tombstones;
  readonly #tombstoneCollector: TombstoneCollector;
  readonly #isolation: Loop;
  readonly #lookAtIsolation: () => Promise<false>;
  readonly #share: WorkShare;
  readonly #seals: Seals;
  readonly #endedUploads: EndedUploads;
  readonly #containers: Containers;
  readonly #durability: Durability;
  readonly #ended = new Set<number>();
  readonly #continuity: Continuity;
  readonly #continuityCheck: ContinuityCheck;
  readonly #nearby: ReplicasNearby;
  #collector: Collector | undefined;
  #scrubber: Scrubber | undefined;
  #isServing = false;
  #resync: Resync | undefined;
  #ringEndings: RingEndings | undefined;
  #folder: BlobFolder | undefined;
  #blobs: OwnBlobs | undefined;
  #peerServer: PeerServer | undefined;
  #s3: S3Server | undefined;
  /** The end of a user server that was drained. */
  #ending: Promise<void> | undefined;
  s3Url: string | undefined;
  peerUrl: string | undefined;

  constructor(options: ObjectServerOptions, self: number, documents: DocumentStore, db: Database) {
    const { log, key, peers, nowMs, times } = options;
    const { trustedNowMs = nowMs ?? Date.now } = options;
    this.#options = options;
    const durability = new Durability(db);
    this.#durability = durability;
    this.#partitions = new Partitions({ db, durability });
    this.#cluster = new ClusterNamespace({
      ...{ db, documents, self, tls: peers.tls, log, nowMs, durability },
      ...(times && { times }),
      mostUploads: options.mostUploads,
      take: (document) => {
        this.#access.take(document);
        this.#tokens.take(document);
      },
      taken: () => this.#enter(),
      joined: (cluster, client) => this.#follow(cluster, client),
      left: (cluster) => this.#leave(cluster),
    });
    const { map, names } = this.#cluster;
    this.#changes = new ChangeLog({ db, durability, partitions: this.#partitions });
    this.#tombstones = new Tombstones({ db, durability });
    this.#tombstoneCollector = new TombstoneCollector({
      ...{ db, log, tombstones: this.#tombstones, cluster: self, nowMs: trustedNowMs },
      ...{ afterMs: times?.forgetAfterMs, pauseMs: times?.forgetPauseMs },
      membersOf: ({ ring, partition }) => {
        const { epoch, groups: [members] = [] } = map.known(ring, partition) ?? {};
        const isUndecided = epoch === undefined || members === undefined || map.isChanging(ring, epoch);
        return isUndecided ? undefined : { epoch, members };
      },
      peers: () => new Map([...this.#others].map(([cluster, { peer }]) => [cluster, peer])),
      settle: (each) => names.settle(each),
    });
    this.#continuity = new Continuity({
      ...{ db, partitions: this.#partitions, folder: options.folder, log, markMs: times?.markMs },
    });
    this.#continuityCheck = new ContinuityCheck({
      ...{ map, partitions: this.#partitions, log },
      others: () => new Map([...this.#others].map(([cluster, { continuity }]) => [cluster, continuity])),
    });
    this.#nearby = new ReplicasNearby({
      ...{ map, replica: this.#cluster.replica },
      others: () =>
        new Map(
          [...this.#others].map(([cluster, { nearest, follower, client }]) => [
            cluster,
            { nearest, follower, isReachable: client.isReachable },
          ]),
        ),
    });
    this.#containers = new Containers({ names, topology: map });
    this.#share = new WorkShare({ db, log });
    this.#seals = new Seals({
      isMine: () => this.#share.isMine('settle seals'),
      ...{ log, sealed: () => sealedGates(db), settle: (container) => this.#containers.settle(container) },
      ...(times?.sealedMs === undefined ? {} : { sealedMs: times.sealedMs }),
    });
    this.#endedUploads = new EndedUploads({
      ...{ rows: () => hiddenRows(db), names, log, nowMs: trustedNowMs },
      ...{ pauseMs: times?.collectPauseMs, isMine: () => this.#share.isMine('end uploads') },
    });
    this.#access = new Access({ store: documents, self, privateKey: key.privateKey, log });
    this.#tokens = new TokenAccess({
      ...{ store: documents, log, nowMs, mustNotBeIsolated: () => this.#access.mustNotBeIsolated() },
    });
    const services = {
      ...{ services: new ServiceStore(db), tls: peers.tls },
      isOwn: (machine: { readonly name: string }) => clusterOf(map.clusters(), machine)?.number === self,
    };
    this.#controllers = new ServiceClient({ ...services, role: controllerRole });
    this.#resolvers = new ServiceClient({ ...services, role: resolverRole });
    const { maxIsolationMs = usualMaxIsolationMs } = options;
    this.#lookAtIsolation = async () => {
      this.#access.isIsolated = ((await documents.controlPlaneSilentMs()) ?? 0) > maxIsolationMs;
      return false;
    };
    this.#isolation = new Loop({
      ...{ log, name: 'time without the control plane', pauseMs: () => isolationLookMs },
      run: this.#lookAtIsolation,
    });
  }

  async start(): Promise<void> {
    const { db, folder, keepFreeBytes, freeBytes, times, log, peers } = this.#options;
    const { map, names, replica, reader } = this.#cluster;
    this.#folder = await BlobFolder.open({ folder, keepFreeBytes, log, ...(freeBytes && { freeBytes }) });
    const blobs = new OwnBlobs(this.#folder, this.#partitions);
    this.#blobs = blobs;
    await this.#continuity.open();
    await this.#cluster.start();
    this.#peerServer = await PeerServer.listen({
      ...{ ...peers, log, replica, blobs },
      clusterOf: (machine: MachineName) => clusterOf(map.clusters(), machine)?.number,
      calls: {
        ...catchUpCalls(this.#changes, this.#tombstones),
        ...continuityCalls((cluster, ring) => this.#seenOf(cluster, ring)),
        ...nearestCalls((key) => this.#nearby.own(key)),
        ...resyncCalls({
          floors: (ring, epoch) => this.#partitions.floors(ring, epoch),
          blobPartitions: (ring) => blobs.partitions(ring),
        }),
      },
    });
    this.peerUrl = this.#peerServer.url;
    this.#collector = new Collector({
      ...{ names, topology: map, replica, blobs, log },
      rings: () => [...map.rings().keys(), ...map.ended()],
      nowMs: this.#options.trustedNowMs ?? this.#options.nowMs ?? Date.now,
      ...{ readingMs: times?.readingMs, pauseMs: times?.collectPauseMs },
      isMine: () => this.#share.isMine('collect blobs'),
    });
    this.#scrubber = new Scrubber({
      ...{ self: map.self, map, log, blobs, reader },
      ...{ named: new NamedBlobs(db), counters: new Counters(db), peer: (cluster) => this.#cluster.peer(cluster) },
      isMine: (work) => this.#share.isMine(work),
      ...this.#options.scrub,
    });
    this.#resync = new Resync({
      ...{ map, partitions: this.#partitions, blobs, reader, log, leavingMs: times?.leavingMs },
      others: () =>
        new Map(
          [...this.#others].map(([cluster, other]) => [
            cluster,
            { peer: other.resync, blobs: other.client, follower: other.follower },
          ]),
        ),
    });
    this.#ringEndings = new RingEndings({
      ...{ map, partitions: this.#partitions, durability: this.#durability, blobs, names, log },
      ...{ containers: this.#containers, gates: (ring) => openGates(db, ring) },
      isMine: () => this.#share.isMine('end rings'),
    });
    // First: a revocation may be missing here.
    await this.#lookAtIsolation();
    await this.serveUsers(true);
    this.#isServing = true;
    for (const { follower } of this.#others.values()) follower.start();
    this.#tombstoneCollector.start();
    this.#seals.start();
    this.#endedUploads.start();
    this.#continuity.start();
    this.#continuityCheck.start();
    this.#collector.start();
    this.#scrubber.start();
    this.#resync.start();
    this.#ringEndings.start();
    this.#isolation.start();
  }

  /** With false, running requests of users finish and new ones are refused. */
  async serveUsers(isWanted: boolean): Promise<void> {
    if (!isWanted) {
      const ending = this.#s3;
      [this.s3Url, this.#s3] = [undefined, undefined];
      this.#ending = ending?.drain().then(() => ending.stop());
    }
    if (!isWanted || this.#s3 !== undefined || this.#blobs === undefined) return;
    const { s3, log } = this.#options;
    const { map } = this.#cluster;
    const { tls, names = [], ...at } = s3;
    const server = createS3Server({
      ...{ ...at, namespace: this.#cluster.namespace(this.#blobs, this.#nearby), keys: this.#access, log },
      served: this.#options.served,
      isOwnName: (name) => names.includes(name) || hostsOf(map.clusters()).has(name),
      tokens: this.#tokens,
      api: new UserApi({
        ...{ tokens: this.#tokens, map, resolvers: this.#resolvers },
        login: new LoginCall({ controllers: this.#controllers, clusters: () => map.clusters() }),
      }),
      ...(tls === undefined ? {} : { tls }),
    });
    this.s3Url = (await server.start()).url;
    this.#s3 = server;
  }

  async diskFault(): Promise<string | undefined> {
    return await this.#folder?.fault();
  }

  /** The disk of the blobs. */
  async disk(): Promise<ServiceDisk> {
    const { blocks, bfree, bsize } = await statfs(this.#options.folder);
    return { usedBytes: (blocks - bfree) * bsize, totalBytes: blocks * bsize };
  }

  /** For each other cluster: changes that this one lacks. */
  lags(): ReadonlyMap<number, Lag> {
    return new Map([...this.#others].map(([cluster, { follower }]) => [cluster, follower.lag]));
  }

  get collected(): number {
    return this.#collector?.deleted ?? 0;
  }

  get scrubbed(): ScrubFigures | undefined {
    return this.#scrubber?.figures;
  }

  takeOvers(): readonly TakeOver[] {
    return this.#resync?.progress() ?? [];
  }

  ringEnds(): readonly RingEnd[] {
    return this.#ringEndings?.progress() ?? [];
  }

  links(): readonly ServiceLink[] {
    return [...this.#others].map(([cluster, { client, follower }]) => {
      const { heardAt, partitions, oldestMs } = follower.lag;
      const behindPartitions = heardAt === undefined ? null : partitions;
      const lagMs = oldestMs === undefined ? null : Math.round(oldestMs);
      return { cluster, connected: client.isReachable, behindPartitions, lagMs };
    });
  }

  /** Users first: their requests need everything else. */
  async drain(): Promise<void> {
    await Promise.all([this.#s3?.drain(), this.#ending]);
    const loops = [
      this.#tombstoneCollector,
      this.#seals,
      this.#endedUploads,
      this.#continuity,
      this.#continuityCheck,
      this.#collector,
      this.#scrubber,
      this.#isolation,
      this.#resync,
      this.#ringEndings,
    ];
    await Promise.all(loops.map((each) => each?.stop()));
    await this.#share.stop();
    await Promise.all([...this.#others.values()].map(({ follower }) => follower.stop()));
    await this.#peerServer?.drain();
    await this.#cluster.drain();
  }

  async stop(): Promise<void> {
    await this.#s3?.stop();
    await this.#peerServer?.stop();
    await this.#controllers.close();
    await this.#resolvers.close();
    await this.#cluster.stop();
    await this.#folder?.close();
  }

  /** Requests with an epoch that this replica has not entered are refused until it has. */
  async #enter(): Promise<void> {
    const { map } = this.#cluster;
    for (const [ring, { epoch, groups, isEmpty, recovering, isEnding }] of map.rings()) {
      if (this.#entered.get(ring) === epoch) continue;
      const isRecovering = recovering.includes(map.self);
      await this.#partitions.enterRing({
        members: [...new Set(groups.flatMap(({ clusters }) => [...clusters]))],
        ...{ ring, epoch, held: map.held(ring), isEmpty, isRecovering, recovering, isEnding, isUnheard: true },
      });
      this.#entered.set(ring, epoch);
    }
    for (const ring of map.ended()) {
      if (this.#ended.has(ring)) continue;
      await this.#partitions.endRing(ring);
      this.#ended.add(ring);
    }
    this.#resync?.trigger();
    this.#continuityCheck.trigger();
  }

  /** How far this cluster has followed another one. Reads the epoch first: positions from before a recovery are dropped with it. */
  async #seenOf(cluster: number, ring: number): Promise<SeenRing> {
    const epoch = await this.#partitions.epochOf(ring);
    return { epoch, partitions: await positionsIn(this.#options.db, cluster, ring) };
  }

  /** Why it does not vote. Undefined if it votes. */
  get lost(): string | undefined {
    return this.#continuityCheck.lost;
  }

  /** The clusters for which it waits before it votes, as a new cluster. */
  get waitsForOthers(): string | undefined {
    return this.#continuityCheck.waitsFor;
  }

  #follow(cluster: number, client: PeerClient): void {
    const { db, log } = this.#options;
    const { map, names, clock } = this.#cluster;
    const peer = catchUpPeer(client);
    const follower = new Follower({
      ...{ db, log, partitions: this.#partitions, clock, cluster, peer },
      isMember: (other, { ring, partition, epoch }) => {
        const known = map.known(ring, partition);
        return known?.epoch === epoch && clustersOf(known).includes(other);
      },
      isChanging: (ring, epoch) => map.isChanging(ring, epoch),
      settle: (key) => names.settle(key),
    });
    this.#others.set(cluster, {
      ...{ client, peer, follower },
      ...{ resync: resyncPeer(client), continuity: continuityPeer(client), nearest: nearestPeer(client) },
    });
    if (this.#isServing) follower.start();
  }

  #leave(cluster: number): void {
    const other = this.#others.get(cluster);
    this.#others.delete(cluster);
    void other?.follower.stop();
  }
}

/** Users may reach any cluster by another one's name if that name points at it. */
function hostsOf(clusters: readonly { readonly s3Urls: readonly string[] }[]): ReadonlySet<string> {
  return new Set(clusters.flatMap(({ s3Urls }) => s3Urls).flatMap((url) => URL.parse(url)?.hostname ?? []));
}
