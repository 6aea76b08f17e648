// Switches to a new graph while requests continue. The new graph is read, checked and prepared while the present one serves, and replaces it in one
// step. If it has any fault, nothing changes.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { CodedError } from '../../platform/errors/errors.ts';
import { reasonOf } from '../../platform/log/counted-line.ts';
import { fits, type NormalSubscription } from '../access/normal-subscription.ts';
import type { PublishedOperations } from '../access/published-operations.ts';
import { isSameLocation, nameOf, type SubgraphLocation } from '../supergraph/subgraph-location.ts';
import { type GraphSource, GraphVersion, type VersionDependencies } from './graph-version.ts';
import type { GraphVersions } from './graph-versions.ts';

/** Results of a reload. */
export interface ReloadReport {
  /** False if the graph and its locations are unchanged, so that nothing was done. */
  readonly changed: boolean;
  readonly subgraphs: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** Subgraphs with other origins, another certificate authority or another deadline. */
    readonly moved: readonly string[];
  };
  /** Operations in use that were planned before the switch. */
  readonly prepared: number;
  /** Streams that ended with SCHEMA_CHANGED. Clients with the same subscription and rights share a stream. */
  readonly endedStreams: number;
  /** Changed settings that take effect only after a restart. */
  readonly needRestart: readonly string[];
}

/** The graph as the settings describe it now. */
export interface ReadGraph extends GraphSource {
  readonly needRestart: readonly string[];
}

interface GraphReloadOptions {
  readonly versions: GraphVersions;
  readonly dependencies: VersionDependencies;
  readonly published: PublishedOperations;
  /** One subscription of each stream that clients follow. */
  readonly subscriptions: () => readonly NormalSubscription[];
  /** Throws with a description of the fault. */
  readonly read: () => Promise<ReadGraph>;
  readonly log: Logger;
}

/** Limit of versions with unfinished requests. */
const mostVersions = 4;
/** Limits of operations in use that are prepared, and of the time for it. */
const mostPrepared = 1_000;
const prepareMs = 20_000;
const mostNamed = 20;
const retryAfterMs = 5_000;

export class GraphReload {
  readonly #options: GraphReloadOptions;
  #isRunning = false;

  constructor(options: GraphReloadOptions) {
    this.#options = options;
  }

  /** Throws a CodedError: GRAPH_REFUSED, BUSY, UNAVAILABLE. */
  async run(): Promise<ReloadReport> {
    const { log } = this.#options;
    try {
      const report = await this.#runAlone();
      log.info(report, report.changed ? 'the graph was replaced' : 'the graph is as it was');
      return report;
    } catch (error) {
      log.error({ reason: reasonOf(error) }, 'the graph was not reloaded');
      throw error;
    }
  }

  async #runAlone(): Promise<ReloadReport> {
    const { versions } = this.#options;
    if (versions.isDraining) throw new CodedError('UNAVAILABLE', 'This gateway is shutting down.', { retryAfterMs });
    if (this.#isRunning) throw new CodedError('BUSY', 'A reload is running already.', { retryAfterMs });
    if (versions.count >= mostVersions)
      throw new CodedError('BUSY', `Requests on ${versions.count - 1} earlier graphs have not ended.`, {
        retryAfterMs,
      });
    this.#isRunning = true;
    try {
      return await this.#run();
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(): Promise<ReloadReport> {
    const { versions } = this.#options;
    const before = versions.current;
    const { needRestart, ...source } = await refusing(this.#options.read);
    const subgraphs = differences(before.source.subgraphs, source.subgraphs);
    if (
      source.supergraphSdl === before.source.supergraphSdl &&
      Object.values(subgraphs).every((list) => list.length === 0)
    )
      return { changed: false, subgraphs, prepared: 0, endedStreams: 0, needRestart };
    const next = await refusing(() => this.#open(source));
    try {
      await checkReachable(next, [...subgraphs.added, ...subgraphs.moved]);
      const prepared = (await this.#preparePublished(before, next)) + (await prepareRecent(before, next));
      const endedStreams = await this.#prepareSubscriptions(next);
      if (versions.isDraining) throw new CodedError('UNAVAILABLE', 'This gateway is shutting down.', { retryAfterMs });
      versions.switchTo(next);
      return { changed: true, subgraphs, prepared, endedStreams, needRestart };
    } catch (error) {
      await next.close();
      throw error;
    }
  }

  async #open(source: GraphSource): Promise<GraphVersion> {
    // Each of these steps blocks the event loop, so requests run in between.
    await nextTurn();
    const version = new GraphVersion(source, this.#options.dependencies);
    await nextTurn();
    try {
      await version.start();
      return version;
    } catch (error) {
      await version.close();
      throw error;
    }
  }

  /** Each published operation that is valid now must stay valid. */
  async #preparePublished(before: GraphVersion, next: GraphVersion): Promise<number> {
    const { published } = this.#options;
    if (!published.isKnown)
      throw new CodedError('UNAVAILABLE', 'This gateway has not read the published operations yet; try again.', {
        retryAfterMs,
      });
    const broken: string[] = [];
    const texts = published.texts();
    for (const [hash, text] of texts) {
      await nextTurn();
      try {
        const { operation, ...prepared } = await next.operations.prepare(hash, text);
        if (operation.operation !== 'subscription')
          await next.executor.prepare({ ...prepared, operationName: operation.name?.value });
      } catch (error) {
        if (await isValid(before, hash, text)) broken.push(`${hash} (${reasonOf(error)})`);
      }
    }
    if (broken.length === 0) return texts.size;
    throw refused(
      `it breaks ${broken.length} published operations: ${broken.slice(0, mostNamed).join('; ')}. Change it, or remove them with "tidegate published remove".`,
    );
  }

  /** Returns how many don't fit. */
  async #prepareSubscriptions({ supergraph, executor }: GraphVersion): Promise<number> {
    const endsMs = performance.now() + prepareMs;
    let ending = 0;
    for (const subscription of this.#options.subscriptions()) {
      await nextTurn();
      if (!fits(subscription, supergraph)) ending += 1;
      else if (performance.now() < endsMs)
        // Clients that follow the stream get the failure again.
        await executor
          .planSubscription(subscription.planKey, subscription.document, subscription.variables)
          .catch(() => undefined);
    }
    return ending;
  }
}

async function isValid({ operations }: GraphVersion, hash: string, text: string): Promise<boolean> {
  return operations.prepare(hash, text).then(
    () => true,
    () => false,
  );
}

/** Prepares recent operations, so that they need not wait for their plans. */
async function prepareRecent(before: GraphVersion, next: GraphVersion): Promise<number> {
  const endsMs = performance.now() + prepareMs;
  let prepared = 0;
  for (const [hash, document] of [...before.operations.recent()].slice(0, mostPrepared)) {
    await nextTurn();
    if (performance.now() > endsMs) break;
    for (const operation of await next.operations.adopt(hash, document)) {
      // An operation without a plan is refused when it is sent.
      await next.executor.prepare(operation).catch(() => undefined);
      prepared += 1;
    }
  }
  return prepared;
}

async function checkReachable({ links }: GraphVersion, names: readonly string[]): Promise<void> {
  const checked = names.map(async (name) => ({ name, isReady: (await links.get(name)?.ready()) === true }));
  const lost = (await Promise.all(checked)).filter(({ isReady }) => !isReady).map(({ name }) => name);
  if (lost.length > 0)
    throw refused(`${lost.join(', ')} can't be reached: start it, or correct subgraphs.${lost[0]}.urls.`);
}

function differences(
  before: readonly SubgraphLocation[],
  after: readonly SubgraphLocation[],
): ReloadReport['subgraphs'] {
  const known = new Map(before.map((location) => [nameOf(location), location]));
  const names = new Set(after.map(nameOf));
  const moved = after.filter((location) => {
    const earlier = known.get(nameOf(location));
    return earlier !== undefined && !isSameLocation(earlier, location);
  });
  return {
    added: [...names].filter((name) => !known.has(name)),
    removed: [...known.keys()].filter((name) => !names.has(name)),
    moved: moved.map(nameOf),
  };
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw refused(`${error instanceof Error ? error.message : String(error)}`);
  }
}

function refused(reason: string): CodedError {
  return new CodedError('GRAPH_REFUSED', `The new graph was not taken over, and the present one stays: ${reason}`);
}
