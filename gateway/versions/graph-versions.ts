// The current version of the graph, and earlier ones whose requests have not ended.
import type { Logger } from 'pino';
import type { GraphVersion } from './graph-version.ts';

interface GraphVersionsOptions {
  readonly log: Logger;
  /** Time that an earlier version without requests is kept, because an admitted request may be about to begin. */
  readonly graceMs?: number;
}

interface Earlier {
  requests: number;
  closing: NodeJS.Timeout | undefined;
}

export class GraphVersions {
  readonly #options: Required<GraphVersionsOptions>;
  readonly #requests = new Map<GraphVersion, Earlier>();
  #current: GraphVersion;
  #isDraining = false;

  constructor(first: GraphVersion, options: GraphVersionsOptions) {
    this.#current = first;
    this.#requests.set(first, { requests: 0, closing: undefined });
    this.#options = { graceMs: 5_000, ...options };
  }

  get current(): GraphVersion {
    return this.#current;
  }

  /** The current one and earlier ones. */
  get count(): number {
    return this.#requests.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The version is not closed before the work has ended. */
  async use<T>(work: (version: GraphVersion) => Promise<T>, version = this.#current): Promise<T> {
    const held = this.#requests.get(version);
    if (held !== undefined) held.requests += 1;
    try {
      return await work(version);
    } finally {
      if (held !== undefined) held.requests -= 1;
      if (version !== this.#current) this.#closeSoon(version);
    }
  }

  /** Switches in one step: every later request begins on `next`. */
  switchTo(next: GraphVersion): void {
    const earlier = this.#current;
    this.#requests.set(next, { requests: 0, closing: undefined });
    this.#current = next;
    earlier.replace();
    this.#closeSoon(earlier);
  }

  /** Keeps the graph unchanged from now on. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Refuses mutations from now on. */
  refuseMutations(): void {
    for (const version of this.#requests.keys()) version.endpoint.drain();
  }

  /** Refuses new documents from now on, so that nothing waits for the judge. */
  refuseNew(): void {
    for (const version of this.#requests.keys()) version.refuseNew();
  }

  /** Closes all versions, with or without requests. */
  async close(): Promise<void> {
    const versions = [...this.#requests];
    this.#requests.clear();
    for (const [, { closing }] of versions) clearTimeout(closing);
    await Promise.all(versions.map(([version]) => version.close()));
  }

  #closeSoon(version: GraphVersion): void {
    const held = this.#requests.get(version);
    if (held === undefined || held.requests > 0 || held.closing !== undefined) return;
    const { graceMs, log } = this.#options;
    held.closing = setTimeout(() => {
      held.closing = undefined;
      if (held.requests > 0) return;
      this.#requests.delete(version);
      version
        .close()
        .catch((error: unknown) => log.warn({ err: error }, 'an earlier version of the graph did not close'));
    }, graceMs);
    held.closing.unref();
  }
}
