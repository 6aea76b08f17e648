// Fetches documents from other clusters' controllers while this cluster has no connection to the control plane. The control plane's
// signature is as good from them, so revocations arrive. This does not count as contact with the control plane: the others' own contact may
// be no more recent.
import { z } from 'zod';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { type KnownCluster, ownCluster } from '../../engine/federation/cluster-machines.ts';
import { ServicePool } from '../../engine/federation/service-pool.ts';
import { clusterOf } from '../../wire/cluster-names.ts';
import { controllerRole, documentsAtOnce, documentsPath } from '../../wire/controller-wire.ts';
import { type SignedDocument, signedDocumentShape } from '../../wire/documents/signed-document.ts';

interface OtherControllersOptions {
  readonly tls: MutualTls;
  readonly log: Logger;
  readonly clusters: () => readonly KnownCluster[];
  /** While the control plane is connected, other controllers are not asked. */
  readonly hasControlPlane: () => boolean;
  /** Every document up to this generation is stored here. */
  readonly position: () => number;
  /** Verifies and stores documents in order. Throws for one that the control plane has not signed. */
  readonly take: (documents: readonly SignedDocument[]) => Promise<void>;
}

const lookMs = 1_000;
const answerMs = 5_000;
/** A document has at most 1 MiB. */
const mostAnswerBytes = 128 * 1024 * 1024;
const answerShape = z.object({ documents: z.array(signedDocumentShape).max(documentsAtOnce) });

interface Place {
  readonly pool: ServicePool;
  /** All documents of that controller up to this generation are stored here. */
  after: number;
}

export class OtherControllers {
  readonly #options: OtherControllersOptions;
  readonly #places = new Map<string, Place>();
  readonly #loop: Loop;

  constructor(options: OtherControllersOptions) {
    this.#options = options;
    const { log } = options;
    this.#loop = new Loop({
      ...{ name: 'documents from other clusters', log, pauseMs: () => lookMs, run: (signal) => this.#look(signal) },
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await Promise.all([...this.#places.values()].map(({ pool }) => pool.close()));
    this.#places.clear();
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const { clusters, hasControlPlane, tls } = this.#options;
    if (hasControlPlane()) return false;
    const known = clusters();
    const self = ownCluster(known, tls)?.number;
    const others = known.filter(({ number }) => number !== self);
    const urls = new Set(others.flatMap(({ controllerUrls }) => controllerUrls));
    for (const [url, { pool }] of this.#places) {
      if (urls.has(url)) continue;
      this.#places.delete(url);
      void pool.close();
    }
    // One after the other: documents from the first need not be fetched from the next.
    for (const { number, controllerUrls } of others)
      for (const url of controllerUrls) await this.#askAll(url, number, signal);
    return false;
  }

  async #askAll(url: string, cluster: number, signal: AbortSignal): Promise<void> {
    const place = this.#places.get(url) ?? { pool: this.#open(url, cluster), after: 0 };
    this.#places.set(url, place);
    try {
      for (;;) {
        const after = Math.max(place.after, this.#options.position());
        const documents = await ask(place.pool, after, signal);
        if (documents.length === 0) return;
        await this.#options.take(documents);
        place.after = Math.max(after, ...documents.map(({ generation }) => generation));
        if (documents.length < documentsAtOnce || signal.aborted) return;
      }
    } catch (error) {
      if (!signal.aborted) this.#options.log.debug({ err: error, url }, 'another controller sent no documents');
    }
  }

  #open(url: string, cluster: number): ServicePool {
    const { tls, clusters } = this.#options;
    return new ServicePool(url, {
      ...{ tls, role: controllerRole, connections: 1, mostAnswerBytes },
      isMeant: (machine) => clusterOf(clusters(), machine)?.number === cluster,
    });
  }
}

async function ask(pool: ServicePool, after: number, ended: AbortSignal): Promise<readonly SignedDocument[]> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(answerMs)]);
  const answer = await pool.ask({ method: 'GET', path: `${documentsPath}?after=${after}`, signal });
  return answerShape.parse(answer).documents;
}
