// The controller of a cluster. It keeps the link to the control plane, stores the wanted state of the cluster, and reports the cluster's
// actual state. A cluster may have several controllers. Without any, the cluster continues with the documents that it has.
import type { Database } from '../../../../platform/database/database.ts';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { LifecycleComponent } from '../../../../platform/process/lifecycle.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import { comparePositions, type Position } from '../../../../platform/values/positions.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { type KnownCluster, ownCluster } from '../../engine/federation/cluster-machines.ts';
import type { ClusterKey } from '../../engine/store/cluster-key.ts';
import { Counters } from '../../engine/store/counters.ts';
import { DocumentStore } from '../../engine/store/document-store.ts';
import { Durability } from '../../engine/store/durability.ts';
import { MeasuredDiskStore } from '../../engine/store/measured-disk-store.ts';
import { Partitions } from '../../engine/store/partitions.ts';
import { type ServiceLink, type ServiceState, ServiceStore } from '../../engine/store/service-store.ts';
import { TokenSigner } from '../../wire/cluster-tokens.ts';
import {
  type ControllerFacts,
  type ControllerState,
  controllerRole,
  controlPlaneRole,
  documentsAtOnce,
  linkSilentMs,
  mostRingEnds,
  serviceRoles,
  stateEveryMs,
  stateKey,
  type TakeOver,
  takeDocument,
} from '../../wire/controller-wire.ts';
import {
  DocumentKeys,
  type SignedDocument,
  signedDocumentShape,
  verifyDocument,
} from '../../wire/documents/signed-document.ts';
import { readStored, toSigned, toStored } from '../../wire/documents/stored-document.ts';
import { ClusterAnswers } from './cluster-answers.ts';
import { ClusterLogin } from './cluster-login.ts';
import { ControllerEndpoint } from './controller-endpoint.ts';
import { OtherControllers } from './other-controllers.ts';

interface ControllerOptions {
  /** The cluster's own database. */
  readonly db: Database;
  readonly key: ClusterKey;
  /** Name of this process, and version of the program. */
  readonly name: string;
  readonly version: string;
  /** wss://HOST:PORT/link of the processes with the role object-storage. */
  readonly urls: readonly string[];
  readonly tls: MutualTls;
  /** The listener for the cluster's services and other clusters' controllers. Without it nobody can log in at the cluster. */
  readonly endpoint?: {
    readonly host: string;
    /** 0 for any free port. */
    readonly port: number;
    /** Lifetime of users' tokens. */
    readonly tokenMinutes: number;
  };
  readonly log: Logger;
}

/** Most clusters that a refusal names. */
const mostNamed = 5;

export class Controller implements LifecycleComponent {
  readonly #options: ControllerOptions;
  readonly #documents: DocumentStore;
  readonly #services: ServiceStore;
  readonly #measured: MeasuredDiskStore;
  readonly #partitions: Partitions;
  readonly #client: LinkClient;
  readonly #answers: ClusterAnswers;
  readonly #loop: Loop;
  readonly #others: OtherControllers;
  #endpoint: ControllerEndpoint | undefined;
  #clusters: readonly KnownCluster[] = [];
  /** The control plane's keys. Undefined until they have arrived. */
  #keys: DocumentKeys | undefined;
  #position: Position | undefined;
  /** An administrator has drained it: it takes no logins. */
  #isDrained = false;

  constructor(options: ControllerOptions) {
    const { db, urls, tls, log, key } = options;
    this.#options = options;
    this.#documents = new DocumentStore(db);
    this.#services = new ServiceStore(db);
    this.#answers = new ClusterAnswers({
      ...{ db, documents: this.#documents, services: this.#services, publicKey: key.publicKey, tls, log },
    });
    this.#measured = new MeasuredDiskStore(new Counters(db));
    this.#partitions = new Partitions({ db, durability: new Durability(db) });
    this.#client = new LinkClient({
      ...{ urls, tls, log, role: controlPlaneRole, silentMs: linkSilentMs },
      documents: {
        held: () => new Map(),
        put: (_key, position, document) => this.#take(position, document),
        change: async () => false,
        remove: async () => undefined,
      },
      whole: () => void this.#documents.heardControlPlane().catch(() => undefined),
      facts: () => this.#facts(),
      answer: (body) => this.#answers.answer(body),
    });
    this.#others = new OtherControllers({
      ...{
        tls,
        log,
        clusters: () => this.#clusters,
        hasControlPlane: () => this.connected,
        position: () => this.#position?.number ?? 0,
      },
      take: (signed) => this.#takeFromOthers(signed),
    });
    this.#loop = new Loop({
      ...{ name: 'controller of object storage', log, pauseMs: () => stateEveryMs, run: () => this.#tell() },
    });
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  /** Address of its listener. */
  get url(): string | undefined {
    const { endpoint } = this.#options;
    const { port } = this.#endpoint ?? {};
    if (endpoint === undefined || port === undefined) return undefined;
    return `https://${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${port}`;
  }

  async start(): Promise<void> {
    await this.#read();
    const { endpoint, tls, log } = this.#options;
    if (endpoint !== undefined) {
      const logins = this.#logins(endpoint.tokenMinutes);
      this.#endpoint = await ControllerEndpoint.listen({
        ...{ host: endpoint.host, port: endpoint.port, tls, log, clusters: () => this.#clusters },
        logIn: (question) => logins.logIn(question),
        documents: async (after) => (await this.#documents.after(after, documentsAtOnce)).map(toSigned),
      });
    }
    this.#client.start();
    this.#loop.start();
    this.#others.start();
  }

  async drain(): Promise<void> {
    await this.#endpoint?.drain();
  }

  async stop(): Promise<void> {
    await this.#endpoint?.stop();
    await this.#others.stop();
    await this.#loop.stop();
    await this.#client.stop();
    await this.#answers.stop();
    await this.#services.gone({ role: controllerRole, name: this.#options.name }).catch(() => undefined);
  }

  #logins(lifetimeMinutes: number): ClusterLogin {
    const { key, tls, log } = this.#options;
    return new ClusterLogin({
      ...{ documents: this.#documents, log },
      askControlPlane: (body, deadlineMs) => this.#client.ask(body, deadlineMs),
      signer: new TokenSigner({ privateKey: key.privateKey, lifetimeMinutes }),
      cluster: () => ownCluster(this.#clusters, tls)?.number,
      isDrained: () => this.#isDrained,
      elsewhere: () => this.#elsewhere(),
    });
  }

  /** Tells users where to log in instead. */
  #elsewhere(): string {
    const self = ownCluster(this.#clusters, this.#options.tls)?.number;
    const others = this.#clusters.filter(({ number, s3Urls }) => number !== self && s3Urls.length > 0);
    const named = others.slice(0, mostNamed).map(({ name, s3Urls }) => `${name} (${s3Urls[0]})`);
    return named.length === 0 ? 'try again later' : `log in at another cluster: ${named.join(', ')}`;
  }

  #facts(): ControllerFacts {
    const { key, version } = this.#options;
    return {
      position: this.#position ?? nothing,
      keyIds: [...(this.#keys?.ids() ?? [])],
      publicKey: key.publicKey,
      version,
    };
  }

  /** Reads what is stored: another controller of the cluster may have added documents. */
  async #read(): Promise<void> {
    this.#position = await this.#documents.position();
    const stored = await this.#documents.find('keys', '');
    const document = stored && readStored(stored);
    if (document?.kind === 'keys' && document.body !== undefined) this.#keys = new DocumentKeys(document.body);
    const clusters = await this.#documents.find('clusters', '');
    const told = clusters && readStored(clusters);
    if (told?.kind === 'clusters') this.#clusters = told.body?.clusters ?? [];
  }

  async #take({ history, number: generation }: Position, document: JsonValue): Promise<void> {
    const signed = signedDocumentShape.parse(document);
    const row = toStored(signed);
    const held = (await this.#documents.find(row.kind, row.key))?.generation ?? 0;
    // Another controller of the cluster was faster and has stored a newer one.
    const isOlder = signed.generation < held;
    const taken = takeDocument({ generation, document }, { keys: this.#keys, held: 0 });
    const position = { history, number: generation };
    await this.#documents.put(isOlder ? [] : [row], generation === 0 ? undefined : position);
    const isNews = this.#position === undefined || comparePositions(this.#position, position) !== 'AHEAD';
    if (generation !== 0 && isNews) {
      if (this.#position !== undefined && this.#position.history !== history)
        this.#options.log.warn(
          { before: this.#position, position },
          'documents of another history replace all documents',
        );
      this.#position = position;
    }
    const { kind, body } = taken;
    if (!isOlder && kind === 'keys' && body !== undefined) this.#keys = new DocumentKeys(body);
  }

  /** The position does not move: only the control plane can confirm that nothing is missing. */
  async #takeFromOthers(documents: readonly SignedDocument[]): Promise<void> {
    for (const signed of documents) {
      // Nothing can be verified without the control plane's keys.
      if (this.#keys === undefined) return;
      const { kind, body } = verifyDocument(signed, this.#keys);
      await this.#documents.put([toStored(signed)]);
      if (kind === 'keys' && body !== undefined) this.#keys = new DocumentKeys(body);
    }
  }

  async #tell(): Promise<boolean> {
    const { name, version } = this.#options;
    const message = this.connected ? null : 'it is not connected to the control plane';
    const { isDrained } = await this.#services.beat({
      role: controllerRole,
      name,
      version,
      isReady: true,
      message,
      whenDrained: 'it is drained and takes no logins',
      links: [],
      url: this.url ?? null,
    });
    this.#isDrained = isDrained;
    await this.#read();
    const services = await this.#services.all();
    const rings = [...(await this.#partitions.epochs())].map(([ring, epoch]) => [String(ring), epoch]);
    const measured = (await this.#measured.read()) ?? null;
    const state: ControllerState = {
      ...{ position: this.#position ?? nothing, clockMs: Date.now(), rings: Object.fromEntries(rings), measured },
      // All services share one disk.
      disk: services.find(({ disk }) => disk != null)?.disk ?? null,
      links: linksOf(services).map((link) => ({
        ...link,
        lagMs: link.behindPartitions === 0 ? 0 : (link.lagMs ?? null),
      })),
      services: services.flatMap(({ role, name: service, isReady, version: runs, message: why, isDrained }) => {
        const known = serviceRoles.find((each) => each === role);
        const shown = { name: service, isReady, version: runs, message: why, isDrained };
        return known === undefined ? [] : [{ role: known, ...shown }];
      }),
      takeOvers: takeOversOf(services),
      ringEnds: services.flatMap((service) => service.ringEnds ?? []).slice(0, mostRingEnds),
      lostRings: [...(await this.#partitions.lost())].slice(0, mostLostTold),
    };
    this.#client.report(stateKey, state as unknown as JsonValue);
    return false;
  }
}

/** Position of a cluster without documents. */
const nothing = { history: '', number: 0 };
/** It only matters whether there are any. */
const mostLostTold = 1_000;

/** Each server follows all clusters: the one that lacks least is most up to date. */
function linksOf(services: readonly ServiceState[]): readonly ServiceLink[] {
  const links = new Map<number, ServiceLink>();
  for (const link of services.flatMap((service) => service.links)) {
    const known = links.get(link.cluster);
    const isBetter = behindOf(link) < (known === undefined ? Number.POSITIVE_INFINITY : behindOf(known));
    const best = known === undefined || isBetter ? link : known;
    links.set(link.cluster, { ...best, connected: link.connected || known?.connected === true });
  }
  return [...links.values()];
}

/** Each server fetches what its cluster lacks: the one that lacks least is most up to date. */
function takeOversOf(services: readonly ServiceState[]): TakeOver[] {
  const takeOvers = new Map<string, TakeOver>();
  for (const each of services.flatMap((service) => service.takeOvers ?? [])) {
    const key = `${each.ring}/${each.epoch}`;
    const known = takeOvers.get(key);
    if (known === undefined || each.left < known.left) takeOvers.set(key, each);
  }
  return [...takeOvers.values()];
}

function behindOf({ behindPartitions }: ServiceLink): number {
  return behindPartitions ?? Number.POSITIVE_INFINITY;
}
