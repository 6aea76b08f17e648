// The action of a form, as its texts show it: a command, a manifest, GraphQL, Python. The texts contain names in place of secrets. No DOM here.
import { registry } from '../../../../generated/kinds/registry.ts';
import type { JsonObject, JsonValue } from '../../../../platform/values/json.ts';
import { type Action, type InputField, type Kind, kebab } from '../../../../schema/kinds/kind.ts';
import { ownName } from '../../../../schema/kinds/option-names.ts';

export interface Deed {
  readonly kind: Kind;
  /** In the registry: `create`. */
  readonly verb: string;
  readonly action: Action;
  /** The user's input, without the fields that a program fills in. */
  readonly input: JsonObject;
  /** Paths of input fields that are missing or unreadable. */
  readonly missing?: readonly (readonly string[])[];
  /** The existing object, if there is one. */
  readonly object?: {
    readonly id: string;
    readonly version?: number;
    /** Its name, and its parent's id. */
    readonly name: string;
    readonly parentId?: string;
    /** The name of its project. */
    readonly project?: string;
  };
  /** Names of picked objects by id. */
  readonly names?: ReadonlyMap<string, string>;
  readonly idempotencyKey: string;
  /** The address of the GraphQL endpoint. */
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

/** A value that is not given yet, by the word that stands for it: NAME, MEMBER_PROTOCOL. */
export class Missing {
  readonly word: string;

  constructor(field: Pick<InputField, 'name' | 'list' | 'refersTo'>) {
    this.word = kebab(ownName(field)).replaceAll('-', '_').toUpperCase();
  }

  toString(): string {
    return this.word;
  }

  toJSON(): string {
    return this.word;
  }
}

export type Shown = string | number | boolean | null | Secret | Missing | readonly Shown[] | ShownObject;
export interface ShownObject {
  readonly [name: string]: Shown;
}

export function isShownObject(value: Shown | undefined): value is ShownObject {
  if (value instanceof Secret || value instanceof Missing) return false;
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The user's input, with names in place of secrets and words in place of missing values. */
export function shownInput({ action, input, missing = [] }: Deed): ShownObject {
  return shownObject(action.input, input, { path: [], missing: new Set(missing.map((path) => path.join('.'))) });
}

interface Place {
  readonly path: readonly string[];
  readonly missing: ReadonlySet<string>;
}

function shownObject(input: string, value: JsonObject, { path, missing }: Place): ShownObject {
  const shown: Record<string, Shown> = {};
  for (const [name, member] of Object.entries(value)) {
    const field = registry.inputs[input]?.fields.find((each) => each.name === name);
    if (member !== undefined) shown[name] = shownMember(field, member, { path: [...path, name], missing });
  }
  return shown;
}

function shownMember(field: InputField | undefined, value: JsonValue, { path, missing }: Place): Shown {
  if (field?.secret === true && value !== null) return new Secret(path);
  if (field !== undefined && missing.has(path.join('.'))) return new Missing(field);
  if (value === null) return null;
  if (Array.isArray(value))
    return value.map((each: JsonValue, at) => shownMember(field, each, { path: [...path, String(at)], missing }));
  if (typeof value !== 'object') return value;
  return shownObject(field?.type ?? '', value as JsonObject, { path, missing });
}

/** The whole input of the mutation, including fields that a program fills in. */
export function wholeInput(deed: Deed): ShownObject {
  const { action, object, idempotencyKey } = deed;
  const takes = (name: string) => registry.inputs[action.input]?.fields.some((each) => each.name === name) === true;
  return {
    ...(takes('idempotencyKey') ? { idempotencyKey } : {}),
    ...(object !== undefined && takes('id') ? { id: object.id } : {}),
    ...(object?.version !== undefined && takes('expectedVersion') ? { expectedVersion: object.version } : {}),
    ...shownInput(deed),
  };
}

/** All secrets in it. */
export function secretsIn(value: Shown): readonly Secret[] {
  if (value instanceof Secret) return [value];
  if (typeof value !== 'object' || value === null || value instanceof Missing) return [];
  return Object.values(value as ShownObject).flatMap(secretsIn);
}

/** The words of all that is missing in it, each once. */
export function missingIn(value: Shown): readonly string[] {
  if (value instanceof Missing) return [value.word];
  if (typeof value !== 'object' || value === null || value instanceof Secret) return [];
  return [...new Set(Object.values(value as ShownObject).flatMap(missingIn))];
}
