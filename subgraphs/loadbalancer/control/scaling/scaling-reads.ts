// Reads of autoscaling for the graph, for load balancers that the caller may see.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { type Page, type PageArguments, type PageRequest, pageItems } from '../../../../platform/pages/connection.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { pageOf } from '../../../../platform/pages/page-loader.ts';
import { countDecisions, type DecisionRow, type PolicyRow, pagesOfDecisions, readPolicies } from './scaling-store.ts';

const policies = Symbol('autoscaling policies by load balancer');
const decisions = Symbol('decisions by load balancer');
const changes = Symbol('decisions that changed something, by load balancer');

export class ScalingReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async policy(context: RequestContext, balancerId: string): Promise<PolicyRow | null> {
    return (await loader(context, policies, balancerId, (ids) => readPolicies(this.#db, ids))) ?? null;
  }

  /** Newest first. */
  decisions(
    context: RequestContext,
    balancerId: string,
    args: PageArguments & { readonly changed?: boolean | null },
  ): Promise<Page<DecisionRow>> {
    const changed = args.changed === true;
    const read = async (balancers: readonly string[], request: PageRequest) => {
      const rows = await pagesOfDecisions(this.#db, balancers, request, changed);
      return new Map([...rows].map(([id, own]) => [id, pageItems(own, request.first, (row) => [row.id])]));
    };
    return pageOf(context, changed ? changes : decisions, balancerId, args, read, (balancers) =>
      countDecisions(this.#db, balancers, changed),
    );
  }
}
