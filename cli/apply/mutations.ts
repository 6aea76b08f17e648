// The mutations for applied files. `made` is the created or changed object of any kind.
import { registry } from '../../generated/kinds/registry.ts';
import type { JsonObject } from '../../platform/values/json.ts';
import type { Action, Kind } from '../../schema/kinds/kind.ts';
import { type PartName, partNames } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import type { GraphqlDocument, UserError } from '../graph-client.ts';
import { documentOf } from '../kinds/find-object.ts';
import type { Commit } from '../wait.ts';

export interface AppliedPayload {
  /** Null if the request was refused, or the object was deleted since. Undefined if the payload has no object. */
  readonly made?: { readonly id: string; readonly name?: string; readonly provisioningStatus?: string } | null;
  readonly userErrors: readonly UserError[];
  readonly commit: Commit;
}

type AppliedGraphqlDocument = GraphqlDocument<Readonly<Record<string, AppliedPayload>>, { readonly input: JsonObject }>;

/** Of a kind in the registry. */
export type MutationName = string;

const partVerbs = ['Create', 'Update', 'Delete'] as const;

export function partMutation(part: PartName, verb: (typeof partVerbs)[number]): MutationName {
  return `${part.charAt(0).toLowerCase()}${part.slice(1)}${verb}`;
}

/** Changes of a load balancer that the server can preview. */
export const previewed: ReadonlySet<MutationName> = new Set([
  ...['loadBalancerUpdate', 'autoscalingPolicySet', 'autoscalingPolicyDelete'],
  ...partNames.flatMap((part) => partVerbs.map((verb) => partMutation(part, verb))),
]);

/** Inputs are made from descriptions of the kinds. The server checks their types, and so do tests against its schema. */
export function graphqlDocumentOf(name: MutationName): AppliedGraphqlDocument {
  for (const kind of Object.values(registry.kinds)) {
    const action = Object.values(kind.actions).find(({ mutation }) => mutation === name);
    if (action === undefined) continue;
    const text = `mutation Apply${name.charAt(0).toUpperCase()}${name.slice(1)}($input: ${action.input}!) {
      ${name}(input: $input) { ${madeSelection(kind, action)} commit { token } userErrors { code message field } }
    }`;
    return documentOf(text) as unknown as AppliedGraphqlDocument;
  }
  throw new Error(`the graph has no mutation ${name} of a kind`);
}

function madeSelection(kind: Kind, action: Action): string {
  // The id of an autoscaling policy is that of its load balancer.
  const object = kind.type === 'AutoscalingPolicy' ? 'loadBalancer' : action.object;
  if (object === undefined) return '';
  const fields = [
    // An object that is identified by other fields than an id only has to exist.
    ...['__typename', ...(kind.node ? ['id'] : [])],
    ...(isRenamable(kind) ? ['name'] : []),
    // A deleted load balancer can still be read for a while.
    ...(kind.type === 'LoadBalancer' ? ['provisioningStatus'] : []),
  ];
  return `made: ${object} { ${fields.join(' ')} }`;
}

/** Whether the name that it was created with can be changed. */
function isRenamable({ actions: { create, update } }: Kind): boolean {
  return nameIn(create)?.required === true && nameIn(update) !== undefined;
}

function nameIn(action: Action | undefined) {
  return registry.inputs[action?.input ?? '']?.fields.find(({ name }) => name === 'name');
}
