// Reads of autoscaling for the graph, of load balancers that the caller sees.
import type { Database } from '../../../platform/database/database.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { type DecisionRow, type PolicyRow, pageOfDecisions, readPolicies } from '../stores/scaling-store.ts';

const policies = Symbol('autoscaling policies by load balancer');

export class ScalingReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async policy(context: RequestContext, balancerId: string): Promise<PolicyRow | null> {
    return (await loader(context, policies, balancerId, (ids) => readPolicies(this.#db, ids))) ?? null;
  }

  /** Newest first. */
  async decisions(
    balancerId: string,
    args: PageArguments & { readonly changed?: boolean | null },
  ): Promise<Page<DecisionRow>> {
    const request = pageRequest(args);
    const rows = await pageOfDecisions(this.#db, balancerId, request, args.changed === true);
    return page(rows, request.first, ({ id }) => [id]);
  }
}
