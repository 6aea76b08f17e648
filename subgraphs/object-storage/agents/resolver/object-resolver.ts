// The resolver of a cluster. It tells the cluster's services the ring and partition of a container's name or an object, and the clusters
// that hold a replica. It reads the rings from the cluster's database. Servers use their own map, so nothing stops without a resolver.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Database } from '../../../../platform/database/database.ts';
import { HttpError } from '../../../../platform/graph/http-body.ts';
import { InternalServer, sendJson } from '../../../../platform/graph/internal-server.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import { clustersOf } from '../../../../platform/registers/placement.ts';
import { noVersion } from '../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../platform/rings/ring.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { ownCluster, peerOf } from '../../engine/federation/cluster-machines.ts';
import { DocumentFollower } from '../../engine/federation/document-follower.ts';
import { FederationMap } from '../../engine/federation/federation-map.ts';
import { mostObjectId, type ObjectPlace, objectIdOf, readObjectId } from '../../engine/namespace/object-id.ts';
import { coreRing } from '../../engine/namespace/topology.ts';
import { type ContainerValue, readJson, statOf } from '../../engine/namespace/values.ts';
import { serverRole } from '../../engine/peers/peer-wire.ts';
import { DocumentStore } from '../../engine/store/document-store.ts';
import { localHead } from '../../engine/store/local-head.ts';
import { ServiceStore } from '../../engine/store/service-store.ts';
import { clusterOf } from '../../wire/cluster-names.ts';
import { controllerRole } from '../../wire/controller-wire.ts';
import { type Place, type Resolved, resolvePath, resolverRole } from '../../wire/resolve-wire.ts';

interface ObjectResolverOptions {
  /** The cluster's own database. */
  readonly db: Database;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls: MutualTls;
  /** Name of this process, and version of the program. */
  readonly name: string;
  readonly version: string;
  readonly log: Logger;
}

const beatMs = 1_000;
const mostRequests = 256;
const unknownRing = 'this cluster does not know this ring';
const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const name = z.string().min(1).max(1_100);
/** The place of an object's name does not depend on the name: all names of a container share a partition. Its bytes have their own place. */
const byName = z.strictObject({ account: hex32, container: name, object: name.optional() });
const byId = z.strictObject({ id: z.string().max(mostObjectId) });

export class ObjectResolver implements LifecycleComponent {
  readonly #options: ObjectResolverOptions;
  readonly #services: ServiceStore;
  readonly #follower: DocumentFollower;
  readonly #map: FederationMap;
  readonly #server: InternalServer;
  readonly #beat: Loop;
  #url: string | undefined;
  #active = 0;

  constructor(options: ObjectResolverOptions) {
    const { db, host, port, tls, log } = options;
    this.#options = options;
    this.#services = new ServiceStore(db);
    // Its own number is never needed: it has no replica.
    this.#map = new FederationMap({ self: -1, replica: () => undefined });
    this.#follower = new DocumentFollower({
      ...{ store: new DocumentStore(db), log, take: (document) => this.#map.take(document) },
    });
    this.#server = new InternalServer({
      ...{ name: 'the resolver of object storage', host, port, tls, log, roles: [serverRole, controllerRole] },
      answer: (request, response) => this.#answer(request, response),
    });
    this.#beat = new Loop({
      ...{ name: 'presence of a resolver of object storage', log, pauseMs: () => beatMs, run: () => this.#tell() },
    });
  }

  get url(): string | undefined {
    return this.#url;
  }

  /** Why it knows nothing yet. Undefined once it does. */
  get waitsFor(): string | undefined {
    return this.#map.rings().size > 0 ? undefined : "the control plane's rings, which its cluster's controller fetches";
  }

  async start(): Promise<void> {
    this.#url = (await this.#server.listen()).url;
    await this.#follower.start();
    this.#beat.start();
  }

  async drain(): Promise<void> {
    await this.#beat.stop();
    await this.#services.gone({ role: resolverRole, name: this.#options.name }).catch(() => undefined);
    await this.#server.drain();
  }

  async stop(): Promise<void> {
    await this.#beat.stop();
    await this.#server.stop();
    await this.#follower.stop();
  }

  /** Throws HttpError. */
  async resolve(asked: unknown): Promise<Resolved> {
    const given = byId.safeParse(asked);
    const id = given.success ? readObjectId(given.data.id) : undefined;
    if (id !== undefined) {
      const objects = this.#place(id.ring, id.containerId);
      return { id: objectIdOf(id), container: null, objects, reason: objects === null ? unknownRing : null };
    }
    const named = byName.safeParse(asked);
    if (!named.success) throw new HttpError(400, 'Give account and container, and optionally object; or id.');
    const { account, container, object } = named.data;
    const place = this.#place(coreRing, account);
    const found = await localHead(this.#options.db, { ring: coreRing, scope: account, name: container });
    if (found === undefined) return { id: null, container: place, objects: null, reason: this.#whyNot(place) };
    const { id: containerId, option } = readJson<ContainerValue>(found);
    const objects = this.#place(option, containerId);
    const resolved = { container: place, objects, reason: objects === null ? unknownRing : null };
    if (object === undefined) return { id: null, ...resolved };
    const at = { ring: option, containerId, name: object };
    return { id: objectIdOf(at), ...resolved, ...(await this.#bytesOf(at)) };
  }

  /** As this cluster's replica has it. Only for callers who named the container: an id may belong to another account. */
  async #bytesOf({ ring, containerId, name: object }: ObjectPlace): Promise<Pick<Resolved, 'bytes'>> {
    const found = await localHead(this.#options.db, { ring, scope: containerId, name: object });
    if (found === undefined) return {};
    const { hasBlobs, option } = statOf(object, noVersion, found);
    return { bytes: hasBlobs === true ? this.#place(option ?? ring, `${containerId}/${object}`) : null };
  }

  /** `of`: the scope of names, or scope and name of blobs. */
  #place(ring: number, of: string): Place | null {
    const partition = partitionOf(of);
    const placement = this.#map.known(ring, partition);
    if (placement === undefined) return null;
    const clusters = clustersOf(placement).map((number) => ({
      ...{ number, name: this.#map.cluster(number)?.name ?? String(number) },
    }));
    return { ring, partition, epoch: placement.epoch, clusters };
  }

  /** Another replica may know more than this cluster's own: a reader of the name asks a majority. */
  #whyNot(place: Place | null): string {
    const own = ownCluster(this.#map.clusters(), this.#options.tls)?.number;
    return place?.clusters.some(({ number }) => number === own)
      ? "this cluster's replica does not know this container"
      : "this cluster has no replica of the container's name: ask with the object's id";
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const machine = peerOf(request.socket);
    const clusters = this.#map.clusters();
    const own = ownCluster(clusters, this.#options.tls)?.number;
    if (machine === undefined || own === undefined || clusterOf(clusters, machine)?.number !== own)
      throw new HttpError(403, 'This resolver serves its own cluster only.');
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://resolver');
    if (request.method !== 'GET' || pathname !== resolvePath) throw new HttpError(404, 'No such path.');
    if (this.#active >= mostRequests) throw new HttpError(503, 'Too many requests at once: try again.');
    this.#active += 1;
    try {
      sendJson(response, 200, await this.resolve(Object.fromEntries(searchParams)));
    } finally {
      this.#active -= 1;
    }
  }

  async #tell(): Promise<boolean> {
    const { name: own, version } = this.#options;
    const { waitsFor } = this;
    const message = waitsFor === undefined ? null : `it waits for ${waitsFor}`;
    const state = { role: resolverRole, name: own, version, isReady: waitsFor === undefined, message, links: [] };
    await this.#services.beat({ ...state, url: this.#url ?? null });
    return false;
  }
}
