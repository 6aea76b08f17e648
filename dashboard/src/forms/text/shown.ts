// What is done by a form, for its text forms: a command, a manifest, GraphQL, Python. Secrets stand in them by a name only. No DOM here.
import { registry } from '../../../../generated/kinds/registry.ts';
import type { JsonObject, JsonValue } from '../../../../platform/values/json.ts';
import { type Action, type InputField, type Kind, kebab } from '../../../../schema/kinds/kind.ts';

export interface Deed {
  readonly kind: Kind;
  /** In the registry: `create`. */
  readonly verb: string;
  readonly action: Action;
  /** What a person gave, without the fields that a program fills in. */
  readonly input: JsonObject;
  /** Of an object that exists. */
  readonly object?: {
    readonly id: string;
    readonly version?: number;
    /** Its name, and its parent's id. */
    readonly name: string;
    readonly parentId?: string;
  };
  /** Of what was picked, by id. */
  readonly names?: ReadonlyMap<string, string>;
  readonly idempotencyKey: string;
  /** The address of the graph. */
  readonly url: string;
}

/** A secret, by the name of the variable that has it. */
export class Secret {
  readonly variable: string;
  /** A file that has it. */
  readonly file: string;

  constructor(path: readonly string[]) {
    const words = path.filter((part) => !/^\d+$/.test(part)).map(kebab);
    this.variable = words.join('_').replaceAll('-', '_').toUpperCase();
    this.file = `${words.join('-')}.txt`;
  }
}

export type Shown = string | number | boolean | null | Secret | readonly Shown[] | ShownObject;
export interface ShownObject {
  readonly [name: string]: Shown;
}

export function isShownObject(value: Shown | undefined): value is ShownObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);
}

/** With names in place of secrets. */
export function withoutSecrets(input: string, value: JsonObject, path: readonly string[] = []): ShownObject {
  const shown: Record<string, Shown> = {};
  for (const [name, member] of Object.entries(value)) {
    const field = registry.inputs[input]?.fields.find((each) => each.name === name);
    if (member !== undefined) shown[name] = shownMember(field, member, [...path, name]);
  }
  return shown;
}

function shownMember(field: InputField | undefined, value: JsonValue, path: readonly string[]): Shown {
  if (value === null) return null;
  if (field?.secret === true) return new Secret(path);
  if (Array.isArray(value)) return value.map((each: JsonValue, at) => shownMember(field, each, [...path, String(at)]));
  if (typeof value !== 'object') return value;
  return withoutSecrets(field?.type ?? '', value as JsonObject, path);
}

/** The whole input of the mutation, with what a program fills in. */
export function wholeInput({ action, input, object, idempotencyKey }: Deed): ShownObject {
  const takes = (name: string) => registry.inputs[action.input]?.fields.some((each) => each.name === name) === true;
  return {
    ...(takes('idempotencyKey') ? { idempotencyKey } : {}),
    ...(object !== undefined && takes('id') ? { id: object.id } : {}),
    ...(object?.version !== undefined && takes('expectedVersion') ? { expectedVersion: object.version } : {}),
    ...withoutSecrets(action.input, input),
  };
}

/** All secrets in it. */
export function secretsIn(value: Shown): readonly Secret[] {
  if (value instanceof Secret) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value as ShownObject).flatMap(secretsIn);
}
