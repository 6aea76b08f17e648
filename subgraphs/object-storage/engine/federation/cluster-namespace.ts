// A cluster's access to the namespace, for each of its processes that reads or writes names: the documents, the cluster's own replica in
// its database, the other clusters' servers as peers, and on top of them the registers of names.
import { randomBytes } from 'node:crypto';
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { VersionClock } from '../../../../platform/registers/version.ts';
import { clusterOf } from '../../wire/cluster-names.ts';
import type { VerifiedDocument } from '../../wire/documents/signed-document.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { RepairingReader } from '../blobs/repairing-reader.ts';
import { ClusterBlobs } from '../namespace/cluster-blobs.ts';
import { Names } from '../namespace/names.ts';
import type { Namespace } from '../namespace/namespace.ts';
import type { NearestReads } from '../namespace/nearest.ts';
import { Objects } from '../namespace/objects.ts';
import { PeerClient } from '../peers/peer-client.ts';
import type { DocumentStore } from '../store/document-store.ts';
import { Durability } from '../store/durability.ts';
import { LocalReplica } from '../store/local-replica.ts';
import { DocumentFollower } from './document-follower.ts';
import { FederationMap } from './federation-map.ts';

interface ClusterNamespaceOptions {
  /** The cluster's own database. */
  readonly db: Database;
  readonly documents: Pick<DocumentStore, 'since'>;
  /** The cluster's number. */
  readonly self: number;
  /** Certificate of this machine for the servers of other clusters. */
  readonly tls: MutualTls;
  readonly log: Logger;
  readonly nowMs?: (() => number) | undefined;
  readonly durability?: Durability;
  /** Time limits of uploads; defaults are those of Objects and ClusterBlobs. */
  readonly times?: { readonly uploadMs?: number; readonly partsMs?: number } | undefined;
  /** Most unfinished multipart uploads in a container; default is that of Objects. */
  readonly mostUploads?: number | undefined;
  /** Called after the map and the peers have taken the document. */
  readonly take?: (document: VerifiedDocument) => void;
  /** After each page of documents. */
  readonly taken?: () => Promise<void>;
  /** Another cluster can be asked from now on. */
  readonly joined?: (cluster: number, peer: PeerClient) => void;
  /** The cluster can't be asked any more: the documents no longer name it, or its address has changed. */
  readonly left?: (cluster: number) => void;
}

interface Peer {
  readonly urls: string;
  readonly client: PeerClient;
}

export class ClusterNamespace {
  readonly #options: ClusterNamespaceOptions;
  readonly #follower: DocumentFollower;
  readonly #peers = new Map<number, Peer>();
  readonly map: FederationMap;
  readonly clock: VersionClock;
  readonly replica: LocalReplica;
  readonly names: Names;
  readonly reader: RepairingReader;

  constructor(options: ClusterNamespaceOptions) {
    const { db, documents, self, log, nowMs = Date.now, taken, durability = new Durability(db) } = options;
    this.#options = options;
    this.clock = new VersionClock({ cluster: self, nowMs, chance: () => randomBytes(6).toString('hex') });
    this.replica = new LocalReplica({ db, durability });
    this.map = new FederationMap({
      self,
      replica: (cluster) => (cluster === self ? this.replica : this.peer(cluster)),
      look: () => this.#follower.trigger(),
    });
    this.names = new Names({ topology: this.map, clock: this.clock });
    this.reader = new RepairingReader({ log });
    this.#follower = new DocumentFollower({
      ...{ store: documents, log, take: (document) => this.#take(document) },
      ...(taken === undefined ? {} : { taken }),
    });
  }

  /** Resolves when all stored documents have been read. */
  start(): Promise<void> {
    return this.#follower.start();
  }

  peer(cluster: number): PeerClient | undefined {
    return this.#peers.get(cluster)?.client;
  }

  /**
   * `own`: this cluster's disk. Undefined if this process has none: it then reads all blobs from others. `nearest`: given if this process
   * follows the other clusters.
   */
  namespace(own: BlobStore | undefined, nearest?: NearestReads): Namespace {
    const { self, times, mostUploads } = this.#options;
    const blobs = new ClusterBlobs({
      ...{ topology: this.map, reader: this.reader, clock: this.clock, uploadMs: times?.uploadMs },
      store: (cluster) => (cluster === self ? own : this.peer(cluster)),
    });
    const { names, map: topology, clock } = this;
    return new Objects({ names, topology, blobs, clock, partsMs: times?.partsMs, mostUploads, nearest });
  }

  /** Waits for running work in the database. */
  async drain(): Promise<void> {
    await this.replica.drain();
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    await this.drain();
    await this.reader.stop();
    await Promise.all([...this.#peers.values()].map(({ client }) => client.close()));
  }

  #take(document: VerifiedDocument): void {
    this.map.take(document);
    if (document.kind === 'clusters') this.#connect();
    this.#options.take?.(document);
  }

  #connect(): void {
    const { self, tls, joined, left } = this.#options;
    const others = this.map.clusters().filter(({ number }) => number !== self);
    for (const [cluster, { urls, client }] of this.#peers) {
      if (others.some((other) => other.number === cluster && other.peerUrls.join(' ') === urls)) continue;
      this.#peers.delete(cluster);
      void client.close();
      left?.(cluster);
    }
    for (const { number, peerUrls } of others) {
      if (peerUrls.length === 0 || this.#peers.has(number)) continue;
      const client = new PeerClient({
        ...{ cluster: number, urls: peerUrls, tls },
        clusterOf: (machine) => clusterOf(this.map.clusters(), machine)?.number,
      });
      this.#peers.set(number, { urls: peerUrls.join(' '), client });
      joined?.(number, client);
    }
  }
}
