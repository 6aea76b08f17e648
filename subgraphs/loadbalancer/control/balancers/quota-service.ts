// Quotas of projects, set by administrators.
import type { LoadBalancerQuotaSetInput } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { settingId } from '../../../../platform/caller/manner.ts';
import type { Database } from '../../../../platform/database/database.ts';
import type { MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { CodedError, Refusal, unknownId } from '../../../../platform/errors/errors.ts';
import { caller, maySee, projectsFor, requireAdmin } from '../../../../platform/input/authorise.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import type { Quota, Quotas } from '../stores/quotas.ts';

const byProject = Symbol('quotas by project');

interface QuotaServiceOptions {
  readonly db: Database;
  readonly mutations: Mutations;
  readonly quotas: Quotas;
}

export class QuotaService {
  readonly #options: QuotaServiceOptions;

  constructor(options: QuotaServiceOptions) {
    this.#options = options;
  }

  /** Quotas of the named project, or of the caller's only one. Empty if the caller may not see it. */
  async ofProject(context: RequestContext, projectId: string | null | undefined): Promise<readonly Quota[]> {
    const projects = projectsFor(context.identity, projectId);
    if (projects === 'all' || projects.length > 1)
      throw new CodedError('INVALID_INPUT', 'projectId: you have several projects; name one.');
    const [only] = projects;
    if (only === undefined) return [];
    return (await this.below(context, only)) ?? [];
  }

  /** Undefined if the caller may not see the project. `projectId`: UUID. */
  async below(context: RequestContext, projectId: string): Promise<readonly Quota[] | undefined> {
    if (!maySee(context.identity, projectId)) return undefined;
    const { db, quotas } = this.#options;
    return loader(context, byProject, projectId, (ids) => quotas.readAll(db, ids));
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
        // A caller who may not see the project learns nothing about it.
        if (projectsFor(identity, input.projectId).length === 0)
          check.fault('projectId', unknownId('Project', input.projectId), 'NOT_FOUND');
        check.throwIfAny();
        attempt.projectId = projectId;
        requireAdmin(identity);
        return async (tx) => {
          const { isNew } = await quotas.set(tx, projectId, input.kind, input.limit ?? null);
          attempt.setting = {
            ...{ subject: 'LoadBalancerQuota', id: settingId('LoadBalancerQuota', projectId, input.kind), projectId },
            ...{ isNew, isDefault: input.limit == null },
          };
          return projectId;
        };
      },
      read: (id) => quotas.read(db, id, input.kind),
    });
  }
}
