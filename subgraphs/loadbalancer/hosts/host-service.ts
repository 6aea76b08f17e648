// Cordons, releases and removes load balancer hosts.
import type {
  LoadBalancerHostCordonInput,
  LoadBalancerHostDeleteInput,
} from '../../../generated/graph/loadbalancer.ts';
import { caller, requireAdmin } from '../../../platform/authorise.ts';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { refuse, unknownId } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import type { MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import { owe } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { wishNodesReplaced } from '../nodes/node-service.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import {
  appendHostChange,
  balancerOnlyOn,
  balancersOnHost,
  beginRemoval,
  cordonHost,
  countNodes,
  countServing,
  type HostRow,
  lockHost,
  openHosts,
  readHosts,
} from '../stores/host-store.ts';
import { awaitNoReturn, type NodeRow } from '../stores/node-store.ts';

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
          if (row === undefined) refuseUnknown(input.id);
          if (row.removing) refuse('WRONG_STATE', `the host ${row.name} is being removed`, { field: ['input', 'id'] });
          await cordonHost(tx, row.id, input.cordoned);
          await appendHostChange(tx, wake, row, input.cordoned ? 'cordoned' : 'released');
          if (input.evacuate === true)
            for (const balancerId of await balancersOnHost(tx, row.id))
              await wishNodesReplaced(tx, wake, balancerId, ({ hostId }) => hostId === row.id, 'its host is evacuated');
          return row.id;
        };
      },
      read: async (id) => (await readHosts(db, [id])).get(id),
    });
  }

  /** It ends once its nodes have, see HostKeeper. */
  remove(context: RequestContext, input: LoadBalancerHostDeleteInput): Promise<MutationOutcome<HostRow>> {
    const { db, wake, mutations } = this.#options;
    return mutations.run({
      ...{ name: 'loadBalancerHostDelete', context, input, subject: 'LoadBalancerHost' },
      async prepare({ check, ...attempt }) {
        const identity = caller(context);
        const id = check.id('id', input.id, 'LoadBalancerHost');
        check.throwIfAny();
        requireAdmin(identity);
        attempt.projectId = null;
        return async (tx) => {
          const row = await lockHost(tx, id ?? '');
          if (row === undefined) refuseUnknown(input.id);
          if (row.removing) return row.id;
          await refuseWhileUsed(tx, row);
          await beginRemoval(tx, row.id);
          await appendHostChange(tx, wake, row, 'it is being removed');
          for (const balancerId of await balancersOnHost(tx, row.id)) {
            const isMeant = ({ hostId }: NodeRow) => hostId === row.id;
            await wishNodesReplaced(tx, wake, balancerId, isMeant, 'its host is removed');
            await awaitNoReturn(tx, balancerId, row.id);
            await owe(tx, reconcileKind, balancerId, {}, wake);
          }
          return row.id;
        };
      },
      read: async (id) => (await readHosts(db, [id])).get(id),
    });
  }
}

function refuseUnknown(id: string): never {
  refuse('NOT_FOUND', unknownId('LoadBalancerHost', id), { field: ['input', 'id'] });
}

async function refuseWhileUsed(tx: Transaction, { id, name, status }: HostRow): Promise<void> {
  const field = { field: ['input', 'id'] };
  if (status === 'ONLINE')
    refuse(
      'WRONG_STATE',
      `the host ${name} is connected: first replace its nodes with loadBalancerHostCordon { cordoned: true, evacuate: true }, then end its lbhost, or revoke its machine`,
      field,
    );
  const serving = await countServing(tx, id);
  if (serving > 0)
    refuse(
      'IN_USE',
      `${serving} nodes on the host ${name} serve, although it has no connection: first replace them with loadBalancerHostCordon { cordoned: true, evacuate: true }`,
      field,
    );
  // Its nodes would be replaced nowhere, and stay in DNS: the removal would not end, and the machine could not come back before it has.
  const stranded = await balancerOnlyOn(tx, id);
  if (stranded !== undefined && !(await hasRoomBeside(tx, id)))
    refuse(
      'IN_USE',
      `the nodes of the load balancer ${stranded} are on the host ${name}, and no other host is connected that can take nodes: connect one, or delete the load balancer, first`,
      field,
    );
}

async function hasRoomBeside(tx: Transaction, id: string): Promise<boolean> {
  const others = (await openHosts(tx)).filter((host) => host.id !== id);
  const counts = await countNodes(
    tx,
    others.map((host) => host.id),
  );
  return others.some((host) => (counts.get(host.id) ?? 0) < host.maxNodes);
}
