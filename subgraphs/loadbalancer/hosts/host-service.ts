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
import { wishNodesReplaced } from '../nodes/node-service.ts';
import { balancersOnHost, cordonHost, type HostRow, lockHost, readHosts } from '../stores/host-store.ts';
import type { NodeRow } from '../stores/node-store.ts';

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
        if (input.evacuate === true && !input.cordoned)
          check.fault('evacuate', 'evacuate is true: give cordoned true too, or new nodes would be made there again');
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
          if (input.evacuate === true)
            for (const balancerId of await balancersOnHost(tx, row.id))
              await wishNodesReplaced(
                ...([tx, wake, balancerId, ({ hostId }: NodeRow) => hostId === row.id] as const),
                'its host is evacuated',
              );
          return row.id;
        };
      },
      read: async (id) => (await readHosts(db, [id])).get(id),
    });
  }
}
