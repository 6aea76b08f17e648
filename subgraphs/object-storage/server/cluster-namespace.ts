// A cluster's part in the one namespace, as each of its processes has it that reads or writes names: what the documents say, the cluster's own
// replica in its database, the other clusters' servers as peers, and over them the registers of names.
import { randomBytes } from 'node:crypto';
import type { Database } from '../../../platform/database/database.ts';
import type { MutualTls } from '../../../platform/graph/tls.ts';
import type { Logger } from '../../../platform/log.ts';
import { VersionClock } from '../../../platform/registers/version.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { RepairingReader } from '../blobs/repairing-reader.ts';
import type { VerifiedDocument } from '../documents/signed-document.ts';
import { ClusterBlobs } from '../namespace/cluster-blobs.ts';
import { Names } from '../namespace/names.ts';
import type { Namespace } from '../namespace/namespace.ts';
import type { NearestReads } from '../namespace/nearest.ts';
import { Objects } from '../namespace/objects.ts';
import { PeerClient } from '../peers/peer-client.ts';
import type { DocumentStore } from '../store/document-store.ts';
import { Durability } from '../store/durability.ts';
import { LocalReplica } from '../store/local-replica.ts';
import { clusterOf } from '../wire/cluster-names.ts';
import { DocumentFollower } from './document-follower.ts';
import { FederationMap } from './federation-map.ts';

export interface ClusterNamespaceOptions {
  /** The cluster's own. */
  readonly db: Database;
  readonly documents: Pick<DocumentStore, 'since'>;
  /** The cluster's number. */
  readonly self: number;
  /** Of this machine, for the servers of other clusters. */
  readonly tls: MutualTls;
  readonly log: Logger;
  readonly nowMs?: (() => number) | undefined;
  readonly durability?: Durability;
  /** How long uploads may take; default: as Objects and ClusterBlobs say. */
  readonly times?: { readonly uploadMs?: number; readonly partsMs?: number } | undefined;
  /** In parts, open in a container at once; default: as Objects says. */
  readonly mostUploads?: number | undefined;
  /** After the map and the peers have it. */
  readonly take?: (document: VerifiedDocument) => void;
  /** After each page of documents. */
  readonly taken?: () => Promise<void>;
  /** Another cluster can be asked from now on. */
  readonly joined?: (cluster: number, peer: PeerClient) => void;
  /** It can no longer: the documents do not name it any more, or it is elsewhere. */
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
    this.replica = new LocalReplica({ db, clock: this.clock, durability });
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

  /** Resolves when all documents that are there are known. */
  start(): Promise<void> {
    return this.#follower.start();
  }

  peer(cluster: number): PeerClient | undefined {
    return this.#peers.get(cluster)?.client;
  }

  /**
   * `own`: this cluster's disk; undefined: this process has none, and does not serve what is in blobs from it. `nearest`: who follows the other
   * clusters has it.
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

  /** What is under way in the database ends. */
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
