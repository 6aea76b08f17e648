// The planner of Hive Router (MIT). It plans on a thread of its own.
import { QueryPlanner } from '@graphql-hive/router-query-planner';
import type { PlanNode, Planner } from './planner.ts';

const deadlineMs = 10_000;
/** No labels of progressive overrides are active. */
const labels = (): Set<string> => new Set();

export class HivePlanner implements Planner {
  readonly #planner: QueryPlanner;

  /** Throws when the supergraph is invalid. */
  constructor(supergraphSdl: string) {
    this.#planner = new QueryPlanner(supergraphSdl);
  }

  plan(text: string): PlanNode | undefined {
    return nodeOf(this.#planner.plan(text, null, labels(), 0));
  }

  async planSoon(text: string): Promise<PlanNode | undefined> {
    return nodeOf(await this.#planner.planAsync(text, null, labels(), 0, AbortSignal.timeout(deadlineMs)));
  }
}

function nodeOf({ node }: { readonly node?: unknown }): PlanNode | undefined {
  return (node ?? undefined) as PlanNode | undefined;
}
