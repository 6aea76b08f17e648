// Settings of a project that have no id of their own: roles of members and quotas. A source identifies them by an id that is derived from the project
// and a key in it.

import { registry } from '../../generated/kinds/registry.ts';
import { settingId } from '../../platform/caller/manner.ts';
import { decodeId, decodeUuid, encodeId } from '../../platform/values/ids.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { type Kind, ownFields } from '../../schema/kinds/kind.ts';
import type { Step } from './step.ts';

/** Whether objects of the kind have a default instead of a beginning and an end. */
export function isSetting({ node, parent, actions }: Kind): boolean {
  return !node && parent?.kind === 'Project' && actions.set !== undefined;
}

/** `input`: its mutation's. Undefined if it is no setting, or refers to an object that doesn't exist yet. */
export function ownIdOfSetting(kind: Kind, input: JsonObject): string | undefined {
  const { parent, type } = kind;
  if (parent === undefined || !isSetting(kind)) return undefined;
  const project = decodeUuid('Project', String(input[parent.input]));
  const key = input[keyField(kind)];
  if (project === undefined || typeof key !== 'string') return undefined;
  return encodeId(type, settingId(type, project, decodeId(key)?.key ?? key));
}

/** Id of a load balancer's autoscaling. Takes global ids. */
export function ownIdOfPolicy(projectId: string, loadBalancerId: string): string | undefined {
  const [project, balancer] = [decodeUuid('Project', projectId), decodeUuid('LoadBalancer', loadBalancerId)];
  if (project === undefined || balancer === undefined) return undefined;
  return encodeId('AutoscalingPolicy', settingId('AutoscalingPolicy', project, balancer));
}

function keyField({ key, parent }: Kind): string {
  return key.find((each) => each !== parent?.input) ?? '';
}

/** The fields by which its mutations know the setting that the graph shows. */
export function identityOfSetting(kind: Kind, projectId: string, shown: JsonObject): JsonObject {
  const field = keyField(kind);
  const link = shown[field] ?? shown[field.replace(/Id$/, '')] ?? null;
  const key: JsonValue = isObject(link) ? (link.id ?? null) : link;
  return { [kind.parent?.input ?? '']: projectId, [field]: key };
}

/** Resets a setting to its default. */
export function endOfSetting({ actions }: Kind, identity: JsonObject): Pick<Step, 'action' | 'request'> {
  const { remove, set } = actions;
  if (remove !== undefined) return { action: 'delete', request: { mutation: remove.mutation, input: identity } };
  const fields = (registry.inputs[set?.input ?? '']?.fields ?? []).filter(
    ({ name }) => !ownFields.has(name) && identity[name] === undefined,
  );
  // A field that is needed has no default.
  if (set === undefined || fields.some(({ required }) => required === true)) return { action: 'keep' };
  const nulls = Object.fromEntries(fields.map(({ name }) => [name, null]));
  return { action: 'reset', request: { mutation: set.mutation, input: { ...identity, ...nulls } } };
}
