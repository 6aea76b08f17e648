// Cordons and releases load balancer hosts.
import type { LoadBalancerHostCordonInput } from '../../../generated/graph/loadbalancer.ts';
import { caller, requireAdmin } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { refuse, unknownId } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import type { MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import { cordonHost, type HostRow, lockHost, readHosts } from '../stores/host-store.ts';

export interface HostServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
}

export class HostService {
  readonly #options: HostServiceOptions;

  constructor(options: HostServiceOptions) {
    this.#options = options;
  }

  cordon(context: RequestContext, input: LoadBalancerHostCordonInput): Promise<MutationOutcome<HostRow>> {
    const { db, wake, mutations } = this.#options;
    return mutations.run({
      ...{ name: 'loadBalancerHostCordon', context, input, subject: 'LoadBalancerHost' },
      async prepare({ check, ...attempt }) {
        const identity = caller(context);
        const id = check.id('id', input.id, 'LoadBalancerHost');
        check.throwIfAny();
        requireAdmin(identity);
        attempt.projectId = null;
        return async (tx) => {
          const row = await lockHost(tx, id ?? '');
          if (row === undefined)
            refuse('NOT_FOUND', unknownId('LoadBalancerHost', input.id), { field: ['input', 'id'] });
          await cordonHost(tx, row.id, input.cordoned);
          const subject = { projectId: null, subjectId: row.id, subjectVersion: row.version + 1 };
          const reason = input.cordoned ? 'cordoned' : 'released';
          const event = {
            ...subject,
            kind: 'loadBalancerHost.changed',
            from: row.status,
            to: row.status,
            reason,
          } as const;
          await appendStatus(tx, loadBalancerEvents, [event], wake);
          return row.id;
        };
      },
      read: async (id) => (await readHosts(db, [id])).get(id),
    });
  }
}
