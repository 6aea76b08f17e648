// One version of the graph: everything derived from one supergraph and the locations of its subgraphs. A request stays on the version on which it
// began.
import type { Logger } from 'pino';
import type { Acceptance } from '../access/acceptance.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import type { OperationLimits } from '../access/limits.ts';
import { checkFiltered, checkResumable } from '../access/normal-subscription.ts';
import { hashIn, Operations } from '../access/operations.ts';
import { ProcessJudge } from '../access/process-judge.ts';
import type { PublishedOperations } from '../access/published-operations.ts';
import type { SenderCounts } from '../access/sender-counts.ts';
import { CompiledExecutor } from '../execution/compiled-executor.ts';
import { ProcessPlanner } from '../execution/process-planner.ts';
import { GraphqlEndpoint } from '../http/graphql-endpoint.ts';
import { SchemaFiles } from '../http/schema-files.ts';
import type { FetchTimes } from '../supergraph/fetch-times.ts';
import { PublishedExecutor } from '../supergraph/published-executor.ts';
import type { SubgraphLink } from '../supergraph/subgraph-link.ts';
import { nameOf, type SubgraphLinks, type SubgraphLocation } from '../supergraph/subgraph-location.ts';
import { Supergraph } from '../supergraph/supergraph.ts';

export interface GraphSource {
  /** SDL of the supergraph. */
  readonly supergraphSdl: string;
  readonly subgraphs: readonly SubgraphLocation[];
}

/** Dependencies that all versions share. */
export interface VersionDependencies {
  readonly subgraphLinks: SubgraphLinks;
  readonly filteredFeeds: ReadonlySet<string>;
  readonly published: PublishedOperations;
  readonly acceptance: Acceptance;
  readonly credentials: CredentialCache;
  readonly limits: OperationLimits;
  readonly counts: SenderCounts;
  readonly onPlannedByFields: () => void;
  readonly fetchTimes: FetchTimes;
  readonly log: Logger;
}

export class GraphVersion {
  readonly source: GraphSource;
  readonly supergraph: Supergraph;
  readonly links: ReadonlyMap<string, SubgraphLink>;
  readonly operations: Operations;
  readonly executor: PublishedExecutor;
  readonly endpoint: GraphqlEndpoint;
  readonly schemas: SchemaFiles;
  readonly #planner: ProcessPlanner;
  readonly #judge: ProcessJudge;
  readonly #subgraphLinks: SubgraphLinks;
  readonly #replaced = new AbortController();
  #isClosed = false;

  /** Throws when the subgraphs do not match the supergraph. */
  constructor(source: GraphSource, dependencies: VersionDependencies) {
    const { subgraphLinks, published, acceptance, credentials, limits, counts, onPlannedByFields, log } = dependencies;
    const supergraph = new Supergraph(source.supergraphSdl);
    if (supergraph.subgraphNames.length === 0) throw new Error('gateway: the SDL does not describe a supergraph');
    checkResumable(supergraph);
    checkFiltered(supergraph, dependencies.filteredFeeds);
    const located = new Set(source.subgraphs.map(nameOf));
    for (const name of supergraph.subgraphNames)
      if (!located.has(name))
        throw new Error(`gateway: the supergraph needs subgraph ${name}, but its location is not given`);
    this.source = source;
    this.supergraph = supergraph;
    this.schemas = new SchemaFiles({ supergraphSdl: source.supergraphSdl, publicSchema: limits.publicSchema });
    this.#subgraphLinks = subgraphLinks;
    const links = new Map(source.subgraphs.map((location) => [nameOf(location), subgraphLinks.take(location)]));
    const planner = new ProcessPlanner({ supergraphSdl: source.supergraphSdl, log, onPlannedByFields });
    const parts = { supergraph, planner, links, fetchTimes: dependencies.fetchTimes, log };
    this.executor = new PublishedExecutor({
      published: new CompiledExecutor(parts),
      others: new CompiledExecutor(parts),
      isPublished: (key) => published.has(hashIn(key)),
    });
    const judge = new ProcessJudge({ supergraphSdl: source.supergraphSdl, limits, log });
    this.operations = new Operations(supergraph, limits, judge, { published, acceptance }, counts);
    const { executor, operations } = this;
    this.endpoint = new GraphqlEndpoint({ supergraph, executor, operations, published, credentials, limits, log });
    this.links = links;
    this.#planner = planner;
    this.#judge = judge;
  }

  /** Aborts when there is a newer one. */
  get replaced(): AbortSignal {
    return this.#replaced.signal;
  }

  /** Throws when the planner refuses the supergraph. */
  async start(): Promise<void> {
    await Promise.all([this.#planner.start(), this.#judge.start()]);
    await this.endpoint.start();
  }

  replace(): void {
    this.#replaced.abort();
  }

  /** Refuses new documents from now on, including those that wait for the judge. */
  refuseNew(): void {
    this.#judge.close();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.endpoint.stop();
    this.#planner.close();
    this.#judge.close();
    await Promise.all(
      this.source.subgraphs.map(async (location) => {
        const link = this.links.get(nameOf(location));
        if (link !== undefined) await this.#subgraphLinks.give(location, link);
      }),
    );
  }
}
