// The mutations for applied files. `made` is the created or changed object of any kind.
import { graphql } from '../../generated/cli/index.ts';
import { registry } from '../../generated/kinds/registry.ts';
import type { JsonObject } from '../../platform/values/json.ts';
import type { Kind } from '../../schema/kinds/kind.ts';
import type { GraphqlDocument, UserError } from '../graph-client.ts';
import { documentOf } from '../kinds/find-object.ts';
import type { Commit } from '../wait.ts';
import { inputHas } from './kind-manifest.ts';

export interface AppliedPayload {
  /** Null if the request was refused, or the object was deleted since. Undefined if the payload has no object. */
  readonly made?: { readonly id: string; readonly name?: string; readonly provisioningStatus?: string } | null;
  readonly userErrors: readonly UserError[];
  readonly commit: Commit;
}

type AppliedGraphqlDocument = GraphqlDocument<Readonly<Record<string, AppliedPayload>>, { readonly input: JsonObject }>;

const documents = {
  backendCreate: graphql(`
    mutation ApplyBackendCreate($input: BackendCreateInput!) {
      backendCreate(input: $input) { made: backend { id } commit { token } userErrors { code message field } }
    }
  `),
  backendUpdate: graphql(`
    mutation ApplyBackendUpdate($input: BackendUpdateInput!) {
      backendUpdate(input: $input) { made: backend { id } commit { token } userErrors { code message field } }
    }
  `),
  projectSubnetCreate: graphql(`
    mutation ApplySubnetCreate($input: ProjectSubnetCreateInput!) {
      projectSubnetCreate(input: $input) {
        made: projectSubnet { id name } commit { token } userErrors { code message field }
      }
    }
  `),
  tlsCertificateCreate: graphql(`
    mutation ApplyCertificateCreate($input: TlsCertificateCreateInput!) {
      tlsCertificateCreate(input: $input) {
        made: tlsCertificate { id } commit { token } userErrors { code message field }
      }
    }
  `),
  tlsCertificateUpdate: graphql(`
    mutation ApplyCertificateUpdate($input: TlsCertificateUpdateInput!) {
      tlsCertificateUpdate(input: $input) {
        made: tlsCertificate { id } commit { token } userErrors { code message field }
      }
    }
  `),
  loadBalancerCreate: graphql(`
    mutation ApplyBalancerCreate($input: LoadBalancerCreateInput!) {
      loadBalancerCreate(input: $input) {
        made: loadBalancer { id provisioningStatus } commit { token } userErrors { code message field }
      }
    }
  `),
  loadBalancerUpdate: graphql(`
    mutation ApplyBalancerUpdate($input: LoadBalancerUpdateInput!) {
      loadBalancerUpdate(input: $input) { made: loadBalancer { id } commit { token } userErrors { code message field } }
    }
  `),
  autoscalingPolicySet: graphql(`
    mutation ApplyAutoscaling($input: AutoscalingPolicySetInput!) {
      autoscalingPolicySet(input: $input) {
        made: loadBalancer { id } commit { token } userErrors { code message field }
      }
    }
  `),
  autoscalingPolicyDelete: graphql(`
    mutation ApplyAutoscalingEnd($input: AutoscalingPolicyDeleteInput!) {
      autoscalingPolicyDelete(input: $input) {
        made: loadBalancer { id } commit { token } userErrors { code message field }
      }
    }
  `),
  poolCreate: graphql(`
    mutation ApplyPoolCreate($input: PoolCreateInput!) {
      poolCreate(input: $input) { made: pool { id } commit { token } userErrors { code message field } }
    }
  `),
  poolUpdate: graphql(`
    mutation ApplyPoolUpdate($input: PoolUpdateInput!) {
      poolUpdate(input: $input) { made: pool { id } commit { token } userErrors { code message field } }
    }
  `),
  poolDelete: graphql(`
    mutation ApplyPoolDelete($input: PoolDeleteInput!) {
      poolDelete(input: $input) { made: pool { id } commit { token } userErrors { code message field } }
    }
  `),
  poolMemberCreate: graphql(`
    mutation ApplyMemberCreate($input: PoolMemberCreateInput!) {
      poolMemberCreate(input: $input) { made: poolMember { id } commit { token } userErrors { code message field } }
    }
  `),
  poolMemberUpdate: graphql(`
    mutation ApplyMemberUpdate($input: PoolMemberUpdateInput!) {
      poolMemberUpdate(input: $input) { made: poolMember { id } commit { token } userErrors { code message field } }
    }
  `),
  poolMemberDelete: graphql(`
    mutation ApplyMemberDelete($input: PoolMemberDeleteInput!) {
      poolMemberDelete(input: $input) { made: poolMember { id } commit { token } userErrors { code message field } }
    }
  `),
  poolHealthMonitorCreate: graphql(`
    mutation ApplyHealthMonitorCreate($input: PoolHealthMonitorCreateInput!) {
      poolHealthMonitorCreate(input: $input) { made: poolHealthMonitor { id } commit { token } userErrors { code message field } }
    }
  `),
  poolHealthMonitorUpdate: graphql(`
    mutation ApplyHealthMonitorUpdate($input: PoolHealthMonitorUpdateInput!) {
      poolHealthMonitorUpdate(input: $input) { made: poolHealthMonitor { id } commit { token } userErrors { code message field } }
    }
  `),
  poolHealthMonitorDelete: graphql(`
    mutation ApplyHealthMonitorDelete($input: PoolHealthMonitorDeleteInput!) {
      poolHealthMonitorDelete(input: $input) { made: poolHealthMonitor { id } commit { token } userErrors { code message field } }
    }
  `),
  listenerCreate: graphql(`
    mutation ApplyListenerCreate($input: ListenerCreateInput!) {
      listenerCreate(input: $input) { made: listener { id } commit { token } userErrors { code message field } }
    }
  `),
  listenerUpdate: graphql(`
    mutation ApplyListenerUpdate($input: ListenerUpdateInput!) {
      listenerUpdate(input: $input) { made: listener { id } commit { token } userErrors { code message field } }
    }
  `),
  listenerDelete: graphql(`
    mutation ApplyListenerDelete($input: ListenerDeleteInput!) {
      listenerDelete(input: $input) { made: listener { id } commit { token } userErrors { code message field } }
    }
  `),
  l7PolicyCreate: graphql(`
    mutation ApplyL7PolicyCreate($input: L7PolicyCreateInput!) {
      l7PolicyCreate(input: $input) { made: l7Policy { id } commit { token } userErrors { code message field } }
    }
  `),
  l7PolicyUpdate: graphql(`
    mutation ApplyL7PolicyUpdate($input: L7PolicyUpdateInput!) {
      l7PolicyUpdate(input: $input) { made: l7Policy { id } commit { token } userErrors { code message field } }
    }
  `),
  l7PolicyDelete: graphql(`
    mutation ApplyL7PolicyDelete($input: L7PolicyDeleteInput!) {
      l7PolicyDelete(input: $input) { made: l7Policy { id } commit { token } userErrors { code message field } }
    }
  `),
  l7RuleCreate: graphql(`
    mutation ApplyL7RuleCreate($input: L7RuleCreateInput!) {
      l7RuleCreate(input: $input) { made: l7Rule { id } commit { token } userErrors { code message field } }
    }
  `),
  l7RuleUpdate: graphql(`
    mutation ApplyL7RuleUpdate($input: L7RuleUpdateInput!) {
      l7RuleUpdate(input: $input) { made: l7Rule { id } commit { token } userErrors { code message field } }
    }
  `),
  l7RuleDelete: graphql(`
    mutation ApplyL7RuleDelete($input: L7RuleDeleteInput!) {
      l7RuleDelete(input: $input) { made: l7Rule { id } commit { token } userErrors { code message field } }
    }
  `),
} as const;

/** One of these, or of a kind in the registry. */
export type MutationName = string;

/** Inputs are made from descriptions of the kinds. The server checks their types, and so do tests against its schema. */
export function graphqlDocumentOf(name: MutationName): AppliedGraphqlDocument {
  const own: Readonly<Record<string, unknown>> = documents;
  return (own[name] ?? registryDocument(name)) as AppliedGraphqlDocument;
}

/** Whether it changes a load balancer, one of its parts, or an object that it uses. */
export function isOfBalancers(name: MutationName): boolean {
  return name in documents;
}

function isRenamable({ actions: { create, update } }: Kind): boolean {
  return [create, update].every((action) => action !== undefined && inputHas(action, 'name'));
}

function registryDocument(name: MutationName): unknown {
  for (const kind of Object.values(registry.kinds)) {
    const action = Object.values(kind.actions).find(({ mutation }) => mutation === name);
    if (action === undefined) continue;
    // An object that is identified by other fields than an id only has to exist.
    const { object } = action;
    const fields = `__typename ${kind.node ? 'id' : ''} ${isRenamable(kind) ? 'name' : ''}`;
    const made = object === undefined ? '' : `made: ${object} { ${fields} } `;
    return documentOf(`mutation Apply($input: ${action.input}!) {
      ${name}(input: $input) { ${made}commit { token } userErrors { code message field } }
    }`);
  }
  throw new Error(`the graph has no mutation ${name} of a kind`);
}
