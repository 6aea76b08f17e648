// Creates, changes and deletes load balancers. It writes the wanted state; the reconciler and the hosts bring it about.
import type {
  LoadBalancerCreateInput,
  LoadBalancerDeleteInput,
  LoadBalancerUpdateInput,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { mutationsOf } from '../../../../platform/edge/mutations-of.ts';
import { holdLiveProject } from '../../../../platform/edge/projects.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { oneProject, requireRole } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale, refuseTaken } from '../../../../platform/input/refusals.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { sameJson } from '../../../../platform/values/json.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import type { MemberAddresses } from '../../spec/member-addresses.ts';
import { changeableRow } from '../changeable-row.ts';
import { loadBalancerEvents } from '../events.ts';
import { refuseFixed } from '../scaling/scaling-service.ts';
import { readPolicy, setPolicy } from '../scaling/scaling-store.ts';
import {
  insertBalancer,
  lockBalancer,
  type NewBalancer,
  readBalancer,
  setProvisioning,
  subjectOf,
  updateBalancer,
} from '../stores/balancer-store.ts';
import { balancerTopic, balancerTurn, changeBalancer, reconcileKind } from '../stores/change-balancer.ts';
import { hostNetworks } from '../stores/host-store.ts';
import type { Quotas } from '../stores/quotas.ts';
import type { SubnetService } from '../subnets/subnet-service.ts';
import { checkBalancerSettings, checkNodeCounts, describedBalancer, settingsAfter } from './balancer-input.ts';
import type { Names } from './names.ts';
import { checkTreeReferences, insertTree } from './part-writes.ts';
import { partsOfTree, type TreePart } from './tree.ts';

interface BalancerServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
  readonly quotas: Quotas;
  readonly subnets: SubnetService;
  readonly memberAddresses: MemberAddresses;
  /** The DNS zone of load balancers: NAME.PROJECT.ZONE. */
  readonly zone: string;
  readonly names: Pick<Names, 'reserve'>;
}

export class BalancerService {
  readonly #options: BalancerServiceOptions;
  readonly #run;

  constructor(options: BalancerServiceOptions) {
    this.#options = options;
    this.#run = mutationsOf<BalancerRow>(options.mutations, 'LoadBalancer', (id) => readBalancer(options.db, id));
  }

  create(context: RequestContext, input: LoadBalancerCreateInput): Promise<MutationOutcome<BalancerRow>> {
    return this.#run('loadBalancerCreate', context, input, (attempt) => this.prepareCreate(attempt, context, input));
  }

  /** Reports all faults of the input together, in the order of its fields. Checks that need a lock belong to the effect. */
  async prepareCreate(attempt: Attempt, context: RequestContext, input: LoadBalancerCreateInput): Promise<Effect> {
    const { db, wake, subnets, memberAddresses, zone } = this.#options;
    const { check } = attempt;
    const { settings, policy } = describedBalancer(check, input);
    const projectId = oneProject(context.identity, input.projectId);
    attempt.projectId = projectId;
    const id = newUuid();
    const subnetId = input.subnetId == null ? undefined : check.id('subnetId', input.subnetId, 'ProjectSubnet');
    const { ranges, takenPorts } = await hostNetworks(db);
    const balancer = { id, projectId };
    const parts = partsOfTree(input, { balancer, check, memberAddresses, ranges, takenPorts });
    await checkTreeReferences(db, check, balancer, parts, false);
    check.throwIfAny();
    requireRole(context.identity, projectId, 'MEMBER', 'loadBalancerCreate');
    // Callers queue for the project's row, which holds the quotas.
    await attempt.inTurn(`lb-project/${projectId}`);
    return async (tx) => {
      const project = await holdLiveProject(tx, projectId);
      const hostName = `${settings.name}.${project}.${zone}`;
      const subnet = await subnets.forNew(tx, projectId, subnetId);
      await this.#insert(tx, { ...settings, ...balancer, hostName, subnetId: subnet }, parts);
      if (policy !== undefined) {
        refuseFixed(settings.topology, ['input', 'autoscaling']);
        await setPolicy(tx, wake, id, policy);
      }
      return id;
    };
  }

  update(context: RequestContext, input: LoadBalancerUpdateInput): Promise<MutationOutcome<BalancerRow>> {
    return this.#run('loadBalancerUpdate', context, input, (attempt) => this.prepareUpdate(attempt, context, input));
  }

  /** The effect of an update. The caller may run it and roll it back. */
  async prepareUpdate(attempt: Attempt, context: RequestContext, input: LoadBalancerUpdateInput): Promise<Effect> {
    const { wake, quotas } = this.#options;
    checkBalancerSettings(attempt.check, input);
    const found = await this.#find(attempt, context, input.id);
    attempt.check.throwIfAny();
    await attempt.inTurn(balancerTurn(found.id));
    return async (tx) => {
      await changeBalancer(tx, wake, found.id, async (row) => {
        refuseStale(input.expectedVersion, row);
        const isScaled = (await readPolicy(tx, row.id)) !== undefined;
        const after = settingsAfter(row, input, isScaled);
        const check = new InputCheck();
        checkNodeCounts(check, after, row.topology);
        check.throwIfAny();
        if (sameJson({ ...row, ...after }, row)) return false;
        await quotas.take(tx, row.projectId, { NODES: after.maxNodes - row.maxNodes });
        await updateBalancer(tx, row.id, after);
        return true;
      });
      return found.id;
    };
  }

  /** Allowed in every state, even while another deletion is running. */
  delete(context: RequestContext, input: LoadBalancerDeleteInput): Promise<MutationOutcome<BalancerRow>> {
    return this.#run('loadBalancerDelete', context, input, (attempt) => this.prepareDelete(attempt, context, input));
  }

  /** The effect of a deletion. The caller may run it and roll it back. */
  async prepareDelete(attempt: Attempt, context: RequestContext, input: LoadBalancerDeleteInput): Promise<Effect> {
    const { wake } = this.#options;
    const found = await this.#find(attempt, context, input.id);
    attempt.check.throwIfAny();
    await attempt.inTurn(balancerTurn(found.id));
    return async (tx) => {
      const row = await lockBalancer(tx, found.id);
      if (row === undefined || row.provisioningStatus === 'DELETED')
        refuse('NOT_FOUND', 'the load balancer was deleted', { field: ['input', 'id'] });
      refuseStale(input.expectedVersion, row);
      if (row.provisioningStatus !== 'DELETING')
        await setProvisioning(tx, wake, row, { status: 'DELETING', reason: null });
      await owe(tx, reconcileKind, row.id, {}, wake);
      tx.afterCommit(() => wake.notify(balancerTopic(row.id)));
      return row.id;
    };
  }

  async #insert(tx: Transaction, row: NewBalancer, parts: readonly TreePart[]): Promise<void> {
    const { wake, quotas, names } = this.#options;
    const count = (kind: string) => parts.filter((part) => part.kind === kind).length;
    await quotas.take(tx, row.projectId, {
      ...{ LOAD_BALANCERS: 1, NODES: row.maxNodes, LISTENERS: count('Listener'), POOLS: count('Pool') },
      ...{ MEMBERS: count('PoolMember'), L7_POLICIES: count('L7Policy') },
    });
    await refuseTaken('load balancer', row.name, insertBalancer(tx, row));
    await names.reserve(tx, row);
    await insertTree(tx, row, parts);
    const subject = subjectOf({ ...row, version: 0 });
    const event = { ...subject, kind: 'loadBalancer.provisioningStatus', from: null, to: 'PENDING' } as const;
    await appendStatus(tx, loadBalancerEvents, [event], wake);
    await owe(tx, reconcileKind, row.id, {}, wake);
  }

  #find(attempt: Attempt, context: RequestContext, id: string): Promise<BalancerRow> {
    const { db } = this.#options;
    return changeableRow(attempt, context, { type: 'LoadBalancer', id }, (uuid) => readBalancer(db, uuid));
  }
}
