// Previews the effect of a change on the nodes of a load balancer. The mutation's own code makes the change in a transaction that is rolled
// back, and the hosts' code compares the node's configuration before and after.
import type {
  AutoscalingPolicyDeleteInput,
  AutoscalingPolicySetInput,
  LoadBalancerDeleteInput,
  LoadBalancerPreview,
  LoadBalancerUpdateInput,
  QueryLoadBalancerPreviewArgs,
  TlsCertificateUpdateInput,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { type Attempt, type Effect, toUserErrors } from '../../../../platform/edge/mutation.ts';
import { checkNulls } from '../../../../platform/edge/update-nulls.ts';
import { refuse, type UserError } from '../../../../platform/errors/errors.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { commandsBetween, reloadReasons } from '../../rules/haproxy/changes.ts';
import { configurationText, type HaproxyModel } from '../../rules/haproxy/model.ts';
import { renderNode } from '../../rules/haproxy/render.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import type { WantedNode } from '../../wire/wanted-node.ts';
import type { BalancerReads } from '../balancers/balancer-reads.ts';
import type { BalancerService } from '../balancers/balancer-service.ts';
import type { PartService } from '../balancers/part-service.ts';
import type { CertificateService } from '../certificates/certificate-service.ts';
import { readCertificates } from '../certificates/certificate-store.ts';
import type { ScalingService } from '../scaling/scaling-service.ts';
import { lockBalancer, readBalancer } from '../stores/balancer-store.ts';
import { partsSince, readParts } from '../stores/part-store.ts';
import { certificatesOf, wantedPart } from './node-documents.ts';
import { unifiedDiff } from './unified-diff.ts';

interface PreviewOptions {
  readonly db: Database;
  readonly balancers: BalancerReads;
  readonly parts: PartService;
  readonly balancerService: Pick<BalancerService, 'prepareUpdate' | 'prepareDelete'>;
  readonly certificates: Pick<CertificateService, 'prepareUpdate'>;
  readonly scaling: Pick<ScalingService, 'prepareSet' | 'prepareDelete'>;
}

/** The effect of a change. */
interface Seen {
  readonly before: HaproxyModel;
  /** Undefined if it is deleted. */
  readonly after: After | undefined;
}

interface After {
  /** Model for existing nodes. */
  readonly model: HaproxyModel;
  /** Model for new nodes, which may have another size. */
  readonly modelOnNew: HaproxyModel;
  readonly replacesNodes: boolean;
  readonly wantedNodes: number;
}

/** Rolls back the transaction of a preview. */
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

  /** Null if the caller may not see the load balancer. */
  async preview(context: RequestContext, args: QueryLoadBalancerPreviewArgs): Promise<LoadBalancerPreview | null> {
    const { balancers } = this.#options;
    const row = await balancers.byGlobalId(context, args.id);
    if (row === null) return null;
    // Exactly one, by @oneOf.
    const [mutation = '', input] = Object.entries(args.change)[0] ?? [];
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

  /** Nothing remains: neither the change nor its audit entry, event or key. */
  async #carryOut(context: RequestContext, balancerId: string, mutation: string, input: object): Promise<Seen> {
    const { db } = this.#options;
    const attempt: Attempt = {
      ...{ check: new InputCheck(), projectId: null },
      setting: null,
      madeIn: async () => undefined,
      inTurn: async () => undefined,
    };
    checkNulls(attempt.check, mutation, input);
    const effect = await this.#prepare(attempt, context, mutation, input);
    attempt.check.throwIfAny();
    try {
      return await db.transaction(async (tx: Transaction) => {
        const row = await lockBalancer(tx, balancerId);
        const before = row && (await modelOf(tx, row));
        const id = await effect(tx);
        const changed = await readBalancer(tx, balancerId);
        const isOther = changed?.version === row?.version && !(await belongsTo(tx, balancerId, id));
        if (row === undefined || before === undefined || changed === undefined || isOther)
          refuse('NOT_FOUND', 'the change belongs to another load balancer', { field: ['input'] });
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
      case 'autoscalingPolicyDelete':
        return scaling.prepareDelete(attempt, context, input as AutoscalingPolicyDeleteInput);
      case 'tlsCertificateUpdate':
        return certificates.prepareUpdate(attempt, context, input as TlsCertificateUpdateInput);
      default:
        return parts.prepare(attempt, context, mutation, input);
    }
  }
}

/** Whether it is the load balancer, its autoscaling, a part of it or a certificate that it uses. `id`: UUID of what an effect changed. */
async function belongsTo(sql: Sql, balancerId: string, id: string): Promise<boolean> {
  if (id === balancerId) return true;
  if ((await readParts(sql, [id])).get(id)?.loadBalancerId === balancerId) return true;
  return (await certificatesOf(sql, balancerId)).includes(id);
}

const nothing = { configuration: '', commands: [], reloads: false, reloadReason: null, replacesNodes: false };

function refused({ wantedNodes }: BalancerRow, userErrors: readonly UserError[]): LoadBalancerPreview {
  return { ...nothing, wantedNodes, userErrors };
}

/** The input is nested deeper here than in the mutation. */
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
  // Removes the configuration's own hash, which changes with every line.
  const configuration = configurationText(model).replace(/^ *description .*\n/m, '');
  return [configuration, ...files].join('\n');
}

/** The same as on a node, except for addresses, folders and keys. */
async function modelOf(sql: Sql, balancer: BalancerRow): Promise<HaproxyModel> {
  const parts = (await partsSince(sql, balancer.id, 0)).map(wantedPart);
  const rows = await readCertificates(sql, await certificatesOf(sql, balancer.id));
  const node: WantedNode = {
    id: 'NODE',
    name: 'node',
    // A preview is compared with nothing, so the position is irrelevant.
    ...{ history: newUuid(), generation: balancer.generation },
    loadBalancer: { id: balancer.id, name: balancer.name, generation: balancer.generation },
    state: balancer.enabled ? 'RUN' : 'DRAIN',
    address: '192.0.2.1',
    managementAddress: '192.0.2.2',
    subnet: null,
    floating: null,
    size: { connections: balancer.nodeConnections, threads: balancer.nodeThreads },
    cookieKey: 'KEY',
    parts,
    // The fingerprint stands for the content of the certificate's file.
    certificates: [...rows.values()].map(({ id, version, sha256 }) => ({ id, version, pem: sha256 })),
  };
  return renderNode(node, {
    folder: '/node',
    runtimeSocket: '/node/run.sock',
    healthPort: 1,
    uid: null,
    incarnation: 'START',
    // A server for each address; here one address stands for all.
    addressesOf: (host) => [host],
    now: Date.now(),
  });
}
