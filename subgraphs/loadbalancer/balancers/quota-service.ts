// Quotas of projects: administrators set them.
import type { LoadBalancerQuotaSetInput } from '../../../generated/graph/loadbalancer.ts';
import { caller, projectsFor, requireAdmin } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { CodedError, Refusal, unknownId } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import type { MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import type { Quota, Quotas } from '../model/quotas.ts';
import { quotaKinds } from '../model/states.ts';

export interface QuotaServiceOptions {
  readonly db: Database;
  readonly mutations: Mutations;
  readonly quotas: Quotas;
}

export class QuotaService {
  readonly #options: QuotaServiceOptions;

  constructor(options: QuotaServiceOptions) {
    this.#options = options;
  }

  /** Of the named project, or the caller's only one; empty where the caller may not see it. */
  async ofProject({ identity }: RequestContext, projectId: string | null | undefined): Promise<readonly Quota[]> {
    const projects = projectsFor(identity, projectId);
    if (projects === 'all' || projects.length > 1)
      throw new CodedError('INVALID_INPUT', 'projectId: you have several projects; name one.');
    const [only] = projects;
    if (only === undefined) return [];
    const { db, quotas } = this.#options;
    return Promise.all(quotaKinds.map((kind) => quotas.read(db, only, kind)));
  }

  set(context: RequestContext, input: LoadBalancerQuotaSetInput): Promise<MutationOutcome<Quota>> {
    const { db, mutations, quotas } = this.#options;
    return mutations.run({
      ...{ name: 'loadBalancerQuotaSet', context, input, subject: 'Project' },
      async prepare(attempt) {
        const { check } = attempt;
        check.integer('limit', input.limit, { min: 0, max: 100_000 });
        const projectId = check.id('projectId', input.projectId, 'Project');
        const identity = caller(context);
        if (projectId === undefined) throw new Refusal(check.errors);
        // Whoever may not see the project learns nothing of it.
        if (projectsFor(identity, input.projectId).length === 0)
          check.fault('projectId', unknownId('Project', input.projectId), 'NOT_FOUND');
        check.throwIfAny();
        attempt.projectId = projectId;
        requireAdmin(identity);
        return async (tx) => {
          await quotas.set(tx, projectId, input.kind, input.limit ?? null);
          return projectId;
        };
      },
      read: (id) => quotas.read(db, id, input.kind),
    });
  }
}
