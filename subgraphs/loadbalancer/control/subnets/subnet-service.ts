// Creates, renames and deletes the projects' subnets. The first load balancer of a project without a subnet creates one.
import type {
  ProjectSubnetCreateInput,
  ProjectSubnetDeleteInput,
  ProjectSubnetUpdateInput,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { mutationsOf } from '../../../../platform/edge/mutations-of.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { oneProject, requireRole } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale, refuseTaken } from '../../../../platform/input/refusals.ts';
import { commonBlock } from '../../../../platform/net/address-block.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { changeableRow } from '../changeable-row.ts';
import { hostNetworks } from '../stores/host-store.ts';
import type { Quotas } from '../stores/quotas.ts';
import {
  balancersIn,
  deleteSubnet,
  firstSubnet,
  insertSubnet,
  lockSubnet,
  readSubnets,
  renameSubnet,
  type SubnetRow,
} from './subnet-store.ts';

interface SubnetServiceOptions {
  readonly db: Database;
  readonly mutations: Mutations;
  readonly quotas: Quotas;
  /** Block of the subnet that is created for a project without one. Subnets of different projects may overlap. */
  readonly defaultCidr: string;
}

type Outcome = Promise<MutationOutcome<SubnetRow>>;

export class SubnetService {
  readonly #options: SubnetServiceOptions;
  readonly #run;

  constructor(options: SubnetServiceOptions) {
    this.#options = options;
    this.#run = mutationsOf<SubnetRow>(options.mutations, 'ProjectSubnet', (id) => this.#read(id));
  }

  create(context: RequestContext, input: ProjectSubnetCreateInput): Outcome {
    return this.#run('projectSubnetCreate', context, input, async (attempt) => {
      attempt.check.name('name', input.name);
      const cidr = checkCidr(attempt.check, input.cidr);
      if (cidr !== undefined) checkApart(attempt.check, cidr, (await hostNetworks(this.#options.db)).ranges);
      const projectId = oneProject(context.identity, input.projectId);
      attempt.projectId = projectId;
      attempt.check.throwIfAny();
      requireRole(context.identity, projectId, 'MEMBER', 'projectSubnetCreate');
      return (tx) => this.#insert(tx, { projectId, name: input.name, cidr: cidr ?? '' });
    });
  }

  update(context: RequestContext, input: ProjectSubnetUpdateInput): Outcome {
    return this.#run('projectSubnetUpdate', context, input, async (attempt) => {
      attempt.check.name('name', input.name, { required: false });
      const found = await this.#find(attempt, context, input.id);
      return async (tx) => {
        const row = await this.#lock(tx, found.id, input.expectedVersion);
        if (input.name != null && input.name !== row.name)
          await refuseTaken('subnet', input.name, renameSubnet(tx, row.id, input.name));
        return row.id;
      };
    });
  }

  delete(context: RequestContext, input: ProjectSubnetDeleteInput): Outcome {
    return this.#run('projectSubnetDelete', context, input, async (attempt) => {
      const found = await this.#find(attempt, context, input.id);
      return async (tx) => {
        const row = await this.#lock(tx, found.id, input.expectedVersion);
        const balancers = await balancersIn(tx, row.id);
        if (balancers.length > 0)
          refuse('IN_USE', `load balancers are in the subnet: ${balancers.join(', ')}; delete them first`, {
            field: ['input', 'id'],
          });
        await deleteSubnet(tx, row.id);
        return row.id;
      };
    });
  }

  /** UUID of the subnet of a new load balancer: the named one, the project's first, or a new one. It can't be deleted until the transaction ends. */
  async forNew(tx: Transaction, projectId: string, id: string | undefined): Promise<string> {
    if (id === undefined) {
      // Of several concurrent first load balancers of a project, only one creates the subnet.
      await this.#options.quotas.lock(tx, projectId);
      const first = await firstSubnet(tx, projectId);
      return first?.id ?? this.#insert(tx, { projectId, name: 'default', cidr: this.#options.defaultCidr });
    }
    const row = await lockSubnet(tx, id, 'SHARE');
    if (row?.projectId !== projectId)
      refuse('NOT_FOUND', unknownId('ProjectSubnet', encodeId('ProjectSubnet', id)), { field: ['input', 'subnetId'] });
    return row.id;
  }

  async #insert(tx: Transaction, row: Pick<SubnetRow, 'projectId' | 'name' | 'cidr'>): Promise<string> {
    await this.#options.quotas.take(tx, row.projectId, { SUBNETS: 1 });
    const check = new InputCheck();
    checkApart(check, row.cidr, (await hostNetworks(tx)).ranges);
    check.throwIfAny();
    const id = newUuid();
    await refuseTaken('subnet', row.name, insertSubnet(tx, { ...row, id }));
    return id;
  }

  async #lock(tx: Transaction, id: string, expected: number | null | undefined): Promise<SubnetRow> {
    const row = await lockSubnet(tx, id, 'UPDATE');
    if (row === undefined) refuse('NOT_FOUND', 'the subnet was deleted', { field: ['input', 'id'] });
    refuseStale(expected, row);
    return row;
  }

  #find(attempt: Attempt, context: RequestContext, id: string): Promise<SubnetRow> {
    return changeableRow(attempt, context, { type: 'ProjectSubnet', id }, (uuid) => this.#read(uuid));
  }

  async #read(id: string): Promise<SubnetRow | undefined> {
    return (await readSubnets(this.#options.db, [id])).get(id);
  }
}

/** The canonical block: IPv4 /8 to /28, IPv6 /48 to /120. */
function checkCidr(check: InputCheck, text: string): string | undefined {
  const cidr = check.addressBlock('cidr', text);
  if (cidr === undefined) return undefined;
  const [address = '', length = ''] = cidr.split('/');
  const [shortest, longest] = address.includes(':') ? [48, 120] : [8, 28];
  const bits = Number(length);
  if (length === '' || bits < shortest || bits > longest)
    check.fault('cidr', `cidr is ${cidr}; give a block from /${shortest} to /${longest}`);
  return cidr;
}

/** Networks that a machine reserves for itself (RFC 6890), and those from which clouds serve credentials. */
const reserved = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/16',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::/32',
];

/** Adds a fault for a subnet that a node could not distinguish from its other networks. */
function checkApart(check: InputCheck, cidr: string, ofHosts: readonly string[]): void {
  if (reserved.some((block) => commonBlock(cidr, block) !== undefined))
    check.fault('cidr', `cidr is ${cidr}, which is reserved; choose another`);
  else if (ofHosts.some((block) => commonBlock(cidr, block) !== undefined))
    check.fault('cidr', `cidr is ${cidr}, which overlaps a network of the load balancer hosts; choose another`);
}
