// Objects as documents of a file for apply. Applying such a file changes nothing. The graph does not show secrets, so a comment states their origin.
import { registry } from '../../generated/kinds/registry.ts';
import { decodeId } from '../../platform/values/ids.ts';
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import type { InputField, Kind } from '../../schema/kinds/kind.ts';
import { chunks } from '../at-once.ts';
import type { GraphClient } from '../graph-client.ts';
import { asInput } from '../kinds/as-input.ts';
import {
  askedName,
  isIn,
  kindOf,
  listChildren,
  listChildrenOfMany,
  listObjects,
  nameOf,
  readObject,
} from '../kinds/find-object.ts';
import { readAll } from '../pages.ts';
import { yamlText } from '../yaml-text.ts';
import { hasOwnNull } from './kept-form.ts';
import { appliedKinds, makeAction, manifestField } from './kind-manifest.ts';

/** Types, in the order of the file. */
export const exportedKinds: readonly string[] = Object.keys(registry.kinds).filter(
  (type) =>
    ['Backend', 'ProjectSubnet', 'TlsCertificate', 'LoadBalancer'].includes(type) || appliedKinds.includes(type),
);

/** Number of parents whose parts are in memory together. */
const parentsAtOnce = 100;

interface Exported {
  readonly kind: Kind;
  readonly fields: JsonObject;
  /** Secrets that the object may have. */
  readonly secrets: readonly string[];
}

/**
 * All objects of a kind that the caller may see, in one project or without one. `isMeant`: whether an object has one of the given names. Throws
 * CommandFailure.
 */
export async function* exportKind(
  client: GraphClient,
  kind: Kind,
  projectId: string | undefined,
  chosen?: { readonly names: readonly string[]; isMeant(object: JsonObject): boolean },
): AsyncGenerator<Exported> {
  const objects =
    chosen === undefined || kind.list === undefined
      ? objectsOf(client, kind, projectId)
      : namedObjectsOf(client, kind, projectId, chosen.names);
  for await (const object of objects) {
    if (chosen?.isMeant(object) === false) continue;
    if (object.revokedAt !== null && object.revokedAt !== undefined) continue;
    if (object.provisioningStatus === 'DELETING') continue;
    yield { kind, fields: await fieldsOf(client, kind, object), secrets: secretsOf(kind) };
  }
}

/** Finds objects by name or id. */
async function* namedObjectsOf(
  client: GraphClient,
  kind: Kind,
  projectId: string | undefined,
  names: readonly string[],
): AsyncGenerator<JsonObject> {
  for (const id of names.filter((each) => decodeId(each)?.type === kind.type)) {
    const found = await readObject(client, kind, id);
    if (found !== null && isIn(found, { projectId })) yield found;
  }
  yield* objectsOf(
    client,
    kind,
    projectId,
    names.map((each) => askedName(kind, each)),
  );
}

async function* objectsOf(
  client: GraphClient,
  kind: Kind,
  projectId: string | undefined,
  names?: readonly string[],
): AsyncGenerator<JsonObject> {
  const { parent, list } = kind;
  if (list !== undefined) {
    const isScoped = projectId !== undefined && list.filters.some(({ name }) => name === 'projectId');
    const all = listObjects(client, kind, {
      ...(isScoped ? { projectId } : {}),
      ...(names === undefined ? {} : { names: [...names] }),
    });
    for await (const each of all)
      if (kind.type !== 'Project' || projectId === undefined || each.id === projectId) yield each;
  } else if (parent !== undefined) {
    const of = kindOf(parent.kind);
    const parents = await readAll(objectsOf(client, of, projectId));
    for (const some of chunks(parents, parentsAtOnce)) {
      const children = await listChildrenOfMany(client, kind, new Set(some.map(({ id }) => String(id))));
      for (const found of some)
        for (const each of children.get(String(found.id)) ?? []) yield { ...each, [parent.link]: found };
    }
  }
}

/** Fields by name. Leaves out null and defaults. */
async function fieldsOf(client: GraphClient, kind: Kind, object: JsonObject): Promise<JsonObject> {
  const make = makeAction(kind);
  const input = make?.input ?? '';
  const given = named(input, kind, object);
  const fields: Record<string, JsonValue> = {};
  const [key = 'name'] = kind.key.filter((each) => each !== kind.parent?.input);
  fields[manifestField(kind, key)] = given[key] ?? object[key] ?? null;
  const of = kind.parent === undefined ? undefined : object[kind.parent.link];
  if (kind.parent !== undefined && isObject(of)) fields[kind.parent.input] = nameOf(kindOf(kind.parent.kind), of);
  // The project comes from --project. A membership belongs to one.
  const left = new Set([key, 'projectId', kind.parent?.input]);
  for (const field of registry.inputs[input]?.fields ?? []) {
    const value = given[field.name];
    if (left.has(field.name) || value === undefined) continue;
    if (isUsual(field, value) && !(value === null && hasOwnNull(kind.type, field.name))) continue;
    fields[field.name] = value;
  }
  if (kind.type === 'Backend') return backendFields(fields);
  if (kind.type !== 'LoadBalancer') return fields;
  return { ...fields, ...(await treeOf(client, input, kind, object)), ...(await autoscalingOf(client, object)) };
}

function named(input: string, kind: Kind, object: JsonObject): JsonObject {
  return asInput(input, kind.output, object, (link, type) => nameOf(kindOf(type), link));
}

function isUsual({ default: usual }: InputField, value: JsonValue): boolean {
  if (value === null || (Array.isArray(value) && value.length === 0)) return true;
  return usual !== undefined && canonicalJson(usual as JsonValue) === canonicalJson(value);
}

/** A file has labels as a map. Leaves out empty fields. */
function backendFields(fields: JsonObject): JsonObject {
  const { labels, ...others } = fields;
  if (!Array.isArray(labels)) return others;
  const pairs = (labels as readonly JsonObject[]).map(({ name, value }) => [String(name), value]);
  return { ...others, labels: Object.fromEntries(pairs) as JsonObject };
}

/** The parts of an object, as its tree takes them. */
async function treeOf(client: GraphClient, input: string, of: Kind, object: JsonObject): Promise<JsonObject> {
  const made: Record<string, JsonValue> = {};
  for (const { name, type, tree, list } of registry.inputs[input]?.fields ?? []) {
    const kind = registry.kinds[type.replace(/TreeInput$/, '')];
    if (tree !== true || kind === undefined || kind.parent?.kind !== of.type) continue;
    const parts: JsonObject[] = [];
    for (const part of await listChildren(client, kind, String(object.id))) {
      const given = named(type, kind, part);
      const usual = registry.inputs[type]?.fields.filter((field) => isUsual(field, given[field.name] ?? null)) ?? [];
      const fields = Object.entries(given).filter(([field]) => !usual.some((each) => each.name === field));
      parts.push({ ...Object.fromEntries(fields), ...(await treeOf(client, type, kind, part)) });
    }
    const [only] = parts;
    if (list === true && parts.length > 0) made[name] = parts;
    else if (list !== true && only !== undefined) made[name] = only;
  }
  return made;
}

async function autoscalingOf(client: GraphClient, object: JsonObject): Promise<JsonObject> {
  const kind = kindOf('AutoscalingPolicy');
  const [policy] = await listChildren(client, kind, String(object.id));
  if (policy === undefined) return {};
  const given = named('AutoscalingPolicyInput', kind, policy);
  const fields = registry.inputs.AutoscalingPolicyInput?.fields ?? [];
  const kept = fields.filter((field) => !isUsual(field, given[field.name] ?? null));
  return { autoscaling: Object.fromEntries(kept.map(({ name }) => [name, given[name]])) };
}

/** `credentials.password`. */
function secretsOf(kind: Kind): readonly string[] {
  return secretsIn(makeAction(kind)?.input ?? '');
}

function secretsIn(input: string, path = ''): readonly string[] {
  return (registry.inputs[input]?.fields ?? []).flatMap(({ name, secret, type, tree }) => {
    if (secret === true) return [`${path}${name}`];
    return tree === true || registry.inputs[type] === undefined ? [] : secretsIn(type, `${path}${name}.`);
  });
}

/** One YAML document, with its comment. */
export function documentText({ kind, fields, secrets }: Exported): string {
  const comment = ` ${secrets.join(', ')}: not shown. To set one: NAME: { file: PATH } or { env: TIDEGATE_SECRET_… }`;
  return yamlText({ kind: kind.type, ...fields }, secrets.length === 0 ? {} : { comment });
}
