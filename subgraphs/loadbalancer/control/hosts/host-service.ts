// Changes the records of load balancer hosts, and cordons, uncordons and removes them.
import type {
  LoadBalancerHostCordonLiftInput,
  LoadBalancerHostCordonSetInput,
  LoadBalancerHostDeleteInput,
  LoadBalancerHostUpdateInput,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale } from '../../../../platform/input/refusals.ts';
import { checkApart } from '../../../../platform/machines/host-networks.ts';
import { checkHostRecord } from '../../../../platform/machines/host-record.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { NodeRow } from '../../rules/rows.ts';
import { wishNodesReplaced } from '../nodes/node-service.ts';
import { awaitNoReturn } from '../nodes/node-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import {
  appendHostChange,
  balancerOnlyOn,
  balancersOnHost,
  beginRemoval,
  cordonHost,
  countNodes,
  countServing,
  giveHost,
  type HostRow,
  holdersOfRanges,
  lockHost,
  openHosts,
  readHosts,
} from '../stores/host-store.ts';

interface HostServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
}

export class HostService {
  readonly #options: HostServiceOptions;

  constructor(options: HostServiceOptions) {
    this.#options = options;
  }

  setCordon(context: RequestContext, input: LoadBalancerHostCordonSetInput): Promise<MutationOutcome<HostRow>> {
    const change = { cordoned: true, evacuate: input.evacuate === true };
    return this.#changeCordon('loadBalancerHostCordonSet', context, input, change);
  }

  liftCordon(context: RequestContext, input: LoadBalancerHostCordonLiftInput): Promise<MutationOutcome<HostRow>> {
    return this.#changeCordon('loadBalancerHostCordonLift', context, input, { cordoned: false, evacuate: false });
  }

  #changeCordon(
    name: string,
    context: RequestContext,
    input: LoadBalancerHostCordonLiftInput,
    { cordoned, evacuate }: { readonly cordoned: boolean; readonly evacuate: boolean },
  ): Promise<MutationOutcome<HostRow>> {
    const { wake } = this.#options;
    return this.#change(name, context, input, async (tx, row) => {
      if (row.removing) refuse('WRONG_STATE', `the host ${row.name} is being removed`, { field: ['input', 'id'] });
      await cordonHost(tx, row.id, cordoned);
      await appendHostChange(tx, wake, row, cordoned ? 'cordoned' : 'released');
      if (evacuate)
        for (const balancerId of await balancersOnHost(tx, row.id))
          await wishNodesReplaced(tx, wake, balancerId, ({ hostId }) => hostId === row.id, 'its host is evacuated');
    });
  }

  /** Changes the host's record. Its nodes stay where they are, with their addresses. */
  update(context: RequestContext, input: LoadBalancerHostUpdateInput): Promise<MutationOutcome<HostRow>> {
    const { wake } = this.#options;
    return this.#change('loadBalancerHostUpdate', context, input, async (tx, row, attempt) => {
      refuseStale(input.expectedVersion, row);
      const whole = new InputCheck();
      const record = checkHostRecord(whole, { ...row.record, ...input });
      whole.throwIfAny();
      if (record !== undefined)
        await checkApart(tx, whole, {
          machineId: row.id,
          ranges: record,
          before: row.record,
          holdersOf: holdersOfRanges,
        });
      whole.throwIfAny();
      // A machine makes its host: a source only keeps its record, and never removes it.
      attempt.setting = {
        ...{ subject: 'LoadBalancerHost', id: row.id, projectId: null, isNew: true, isDefault: false },
      };
      if (record !== undefined) await giveHost(tx, wake, row, record);
    });
  }

  /** Completed when its last node is gone, see HostWatcher. */
  remove(context: RequestContext, input: LoadBalancerHostDeleteInput): Promise<MutationOutcome<HostRow>> {
    const { wake } = this.#options;
    return this.#change('loadBalancerHostDelete', context, input, async (tx, row) => {
      if (row.removing) return;
      await refuseWhileUsed(tx, row);
      await beginRemoval(tx, row.id);
      await appendHostChange(tx, wake, row, 'it is being removed');
      for (const balancerId of await balancersOnHost(tx, row.id)) {
        const isMeant = ({ hostId }: NodeRow) => hostId === row.id;
        await wishNodesReplaced(tx, wake, balancerId, isMeant, 'its host is removed');
        await awaitNoReturn(tx, balancerId, row.id);
        await owe(tx, reconcileKind, balancerId, {}, wake);
      }
    });
  }

  /** For administrators. */
  #change(
    name: string,
    context: RequestContext,
    input: LoadBalancerHostCordonLiftInput,
    effect: (tx: Transaction, row: HostRow, attempt: Attempt) => Promise<void>,
  ): Promise<MutationOutcome<HostRow>> {
    const { db, mutations } = this.#options;
    return mutations.run({
      ...{ name, context, input, subject: 'LoadBalancerHost' },
      async prepare(attempt) {
        const identity = caller(context);
        const id = attempt.check.id('id', input.id, 'LoadBalancerHost');
        attempt.check.throwIfAny();
        requireAdmin(identity);
        return async (tx) => {
          const row = await lockHost(tx, id ?? '');
          if (row === undefined) refuseUnknown(input.id);
          await effect(tx, row, attempt);
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

async function refuseWhileUsed(tx: Transaction, { id, name, presence }: HostRow): Promise<void> {
  const field = { field: ['input', 'id'] };
  if (presence === 'PRESENT')
    refuse(
      'WRONG_STATE',
      `the host ${name} is connected: first replace its nodes with loadBalancerHostCordonSet { evacuate: true }, then end its lbhost, or revoke its machine`,
      field,
    );
  const serving = await countServing(tx, id);
  if (serving > 0)
    refuse(
      'IN_USE',
      `${serving} nodes on the host ${name} serve, although it has no connection: first replace them with loadBalancerHostCordonSet { evacuate: true }`,
      field,
    );
  // Without another host its nodes could not be replaced and would stay in DNS: the removal would never end, and the machine could not come
  // back before it has.
  const stranded = await balancerOnlyOn(tx, id);
  if (stranded !== undefined && !(await hasRoomBeside(tx, id)))
    refuse(
      'IN_USE',
      `the nodes of the load balancer ${stranded} are on the host ${name}, and no other connected host can take nodes: connect one, or delete the load balancer, first`,
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
