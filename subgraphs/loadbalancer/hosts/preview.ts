// What a change would do to the nodes of a load balancer: the change is carried out as its mutation does it, in a transaction that is
// rolled back, and the node's configuration before and after is compared by the code of the hosts.
import type {
  AutoscalingPolicySetInput,
  LoadBalancerDeleteInput,
  LoadBalancerPreview,
  LoadBalancerUpdateInput,
  QueryLoadBalancerPreviewArgs,
  TlsCertificateUpdateInput,
} from '../../../generated/graph/loadbalancer.ts';
import type { Database, Sql, Transaction } from '../../../platform/database/database.ts';
import { refuse, type UserError, userError } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { InputCheck } from '../../../platform/input.ts';
import { type Attempt, type Effect, toUserErrors } from '../../../platform/mutation.ts';
import type { BalancerReads } from '../balancers/balancer-reads.ts';
import type { BalancerService } from '../balancers/balancer-service.ts';
import type { PartService } from '../balancers/part-service.ts';
import type { CertificateService } from '../certificates/certificate-service.ts';
import { commandsBetween, reloadReasons } from '../host/haproxy/changes.ts';
import { configurationText, type HaproxyModel } from '../host/haproxy/model.ts';
import { renderNode } from '../host/haproxy/render.ts';
import type { ScalingService } from '../scaling/scaling-service.ts';
import { type BalancerRow, lockBalancer, readBalancer } from '../stores/balancer-store.ts';
import { readCertificates } from '../stores/certificate-store.ts';
import { partsSince } from '../stores/part-store.ts';
import type { WantedNode } from '../wanted/wanted-node.ts';
import { certificatesOf, wantedPart } from './node-documents.ts';
import { unifiedDiff } from './unified-diff.ts';

export interface PreviewOptions {
  readonly db: Database;
  readonly balancers: BalancerReads;
  readonly parts: PartService;
  readonly balancerService: Pick<BalancerService, 'prepareUpdate' | 'prepareDelete'>;
  readonly certificates: Pick<CertificateService, 'prepareUpdate'>;
  readonly scaling: Pick<ScalingService, 'prepareSet'>;
}

/** What a change does. */
interface Seen {
  readonly before: HaproxyModel;
  /** Undefined: it is deleted. */
  readonly after: After | undefined;
}

interface After {
  /** Of the nodes that there are. */
  readonly model: HaproxyModel;
  /** Of new nodes, which may have another size. */
  readonly modelOnNew: HaproxyModel;
  readonly replacesNodes: boolean;
  readonly wantedNodes: number;
}

/** Ends the transaction of a preview. */
class RolledBack extends Error {
  readonly seen: Seen;

  constructor(seen: Seen) {
    super('a preview');
    this.seen = seen;
  }
}

export class Previews {
  readonly #options: PreviewOptions;

  constructor(options: PreviewOptions) {
    this.#options = options;
  }

  /** Null: the caller may not see the load balancer. */
  async preview(context: RequestContext, args: QueryLoadBalancerPreviewArgs): Promise<LoadBalancerPreview | null> {
    const { balancers } = this.#options;
    const row = await balancers.byGlobalId(context, args.id);
    if (row === null) return null;
    const given = Object.entries(args.change).filter(([, input]) => input != null);
    const [mutation, input] = given[0] ?? [];
    if (mutation === undefined || given.length > 1)
      return refused(row, [
        userError('INVALID_INPUT', `change has ${given.length} fields; give exactly one`, { field: ['change'] }),
      ]);
    try {
      return shown(await this.#carryOut(context, row.id, mutation, input as object));
    } catch (error) {
      const errors = toUserErrors(error);
      if (errors === undefined) throw error;
      return refused(
        row,
        errors.map((each) => ({ ...each, field: fieldOf(each, mutation) })),
      );
    }
  }

  /** Nothing is written: neither the change nor its audit entry, event or key. */
  async #carryOut(context: RequestContext, balancerId: string, mutation: string, input: object): Promise<Seen> {
    const { db } = this.#options;
    const attempt: Attempt = {
      ...{ check: new InputCheck(), projectId: null },
      madeIn: async () => undefined,
      inTurn: async () => undefined,
    };
    const effect = await this.#prepare(attempt, context, mutation, input);
    attempt.check.throwIfAny();
    try {
      return await db.transaction(async (tx: Transaction) => {
        const row = await lockBalancer(tx, balancerId);
        const before = row && (await modelOf(tx, row));
        await effect(tx);
        const changed = await readBalancer(tx, balancerId);
        if (row === undefined || before === undefined || changed === undefined || changed.version === row.version)
          refuse('NOT_FOUND', 'the change is one of another load balancer', { field: ['input'] });
        if (changed.provisioningStatus === 'DELETING') throw new RolledBack({ before, after: undefined });
        const { nodeConnections, nodeThreads } = row;
        const replacesNodes = changed.nodeConnections !== nodeConnections || changed.nodeThreads !== nodeThreads;
        const model = await modelOf(tx, { ...changed, nodeConnections, nodeThreads });
        const modelOnNew = replacesNodes ? await modelOf(tx, changed) : model;
        const after = { model, modelOnNew, replacesNodes, wantedNodes: changed.wantedNodes };
        throw new RolledBack({ before, after });
      });
    } catch (error) {
      if (error instanceof RolledBack) return error.seen;
      throw error;
    }
  }

  #prepare(attempt: Attempt, context: RequestContext, mutation: string, input: object): Promise<Effect> {
    const { parts, balancerService, certificates, scaling } = this.#options;
    switch (mutation) {
      case 'loadBalancerUpdate':
        return balancerService.prepareUpdate(attempt, context, input as LoadBalancerUpdateInput);
      case 'loadBalancerDelete':
        return balancerService.prepareDelete(attempt, context, input as LoadBalancerDeleteInput);
      case 'autoscalingPolicySet':
        return scaling.prepareSet(attempt, context, input as AutoscalingPolicySetInput);
      case 'tlsCertificateUpdate':
        return certificates.prepareUpdate(attempt, context, input as TlsCertificateUpdateInput);
      default:
        return parts.prepare(attempt, context, mutation, input);
    }
  }
}

const nothing = { configuration: '', commands: [], reloads: false, reloadReason: null, replacesNodes: false };

function refused({ wantedNodes }: BalancerRow, userErrors: readonly UserError[]): LoadBalancerPreview {
  return { ...nothing, wantedNodes, userErrors };
}

/** The input is deeper here than in the mutation. */
function fieldOf({ field }: UserError, mutation: string): readonly string[] {
  return field.length === 0 ? [] : ['change', mutation, ...field.slice(1)];
}

function shown({ before, after }: Seen): LoadBalancerPreview {
  if (after === undefined)
    return { ...nothing, configuration: unifiedDiff(textOf(before), ''), wantedNodes: 0, userErrors: [] };
  const { model, modelOnNew, replacesNodes, wantedNodes } = after;
  const reasons = reloadReasons(before, model);
  return {
    configuration: unifiedDiff(textOf(before), textOf(modelOnNew)),
    commands: reasons.length > 0 ? [] : commandsBetween(before, model),
    reloads: reasons.length > 0,
    reloadReason: reasons.length > 0 ? reasons.join('; ') : null,
    replacesNodes,
    wantedNodes,
    userErrors: [],
  };
}

function textOf(model: HaproxyModel): string {
  const files = [...model.files.values()].map(({ path, content }) => `# ${path}\n${content}`);
  // The configuration's own hash changes with every line.
  const configuration = configurationText(model).replace(/^ *description .*\n/m, '');
  return [configuration, ...files].join('\n');
}

/** As on a node: the same on all but for addresses, folders and keys. */
async function modelOf(sql: Sql, balancer: BalancerRow): Promise<HaproxyModel> {
  const parts = (await partsSince(sql, balancer.id, 0)).map(wantedPart);
  const rows = await readCertificates(sql, await certificatesOf(sql, balancer.id));
  const node: WantedNode = {
    id: 'NODE',
    name: 'node',
    generation: balancer.generation,
    loadBalancer: { id: balancer.id, name: balancer.name, generation: balancer.generation },
    state: balancer.enabled ? 'RUN' : 'DRAIN',
    address: '192.0.2.1',
    managementAddress: '192.0.2.2',
    subnet: null,
    floating: null,
    size: { connections: balancer.nodeConnections, threads: balancer.nodeThreads },
    cookieKey: 'KEY',
    parts,
    // What is in its file is shown by its fingerprint only.
    certificates: [...rows.values()].map(({ id, version, sha256 }) => ({ id, version, pem: sha256 })),
  };
  return renderNode(node, {
    folder: '/node',
    runtimeSocket: '/node/run.sock',
    healthPort: 1,
    incarnation: 'START',
    // A server for each address; here one stands for all.
    addressesOf: (host) => [host],
    now: Date.now(),
  });
}
