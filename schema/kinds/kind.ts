// What is known of a manageable kind of object: plain data, for the command line, for files that are applied, and for forms in a browser. It is made
// from the graph by `npm run generate` (derive.ts). What the graph does not say is in declared.ts.

type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain };

/** A field of an input of the graph. */
export interface InputField {
  readonly name: string;
  /** The named type: a scalar, or a key of `enums` or `inputs`. */
  readonly type: string;
  readonly list?: true;
  readonly required?: true;
  /** The value of a field that is left out, where the graph has one. */
  readonly default?: Plain;
  readonly description: string;
  /** The kind whose id it takes, by its type. */
  readonly refersTo?: string;
  /** It comes from a file or the environment, and is never shown. */
  readonly secret?: true;
  /** It has several lines, for example PEM: it is read from a file. */
  readonly file?: true;
  /** A list or object of parts that are kinds of their own. */
  readonly tree?: true;
  /** Of a number. */
  readonly bounds?: { readonly least: number; readonly most: number };
}

export interface InputType {
  /** Exactly one field is given. */
  readonly oneOf?: true;
  readonly fields: readonly InputField[];
}

/** A field of a type of the graph, with what is read of it. */
export interface OutputField {
  readonly name: string;
  readonly list?: true;
  /** The kind that it links to. Its id and the fields of its key are read. */
  readonly refersTo?: string;
  /** Of an object that is no kind. */
  readonly fields?: readonly OutputField[];
  /** Of a union: the fields of each type, by the field of the input that sets it. */
  readonly variants?: readonly OutputVariant[];
  /** In a variant: another variant has a field of this name with another type. It is read by another name: `aliasOf`. */
  readonly aliased?: true;
}

interface OutputVariant {
  readonly type: string;
  /** The field of the input. */
  readonly as: string;
  readonly fields: readonly OutputField[];
}

/** A mutation of a kind. */
export interface Action {
  readonly mutation: string;
  /** A key of `inputs`. */
  readonly input: string;
  readonly description: string;
  /** The least that a caller must be. */
  readonly role: string;
  readonly refuses: readonly string[];
  /** The field of the payload with the object; left out: it has none. */
  readonly object?: string;
  /** Fields of the payload that are shown only once. */
  readonly secrets?: readonly string[];
}

export interface Parent {
  /** The kind, by its type. */
  readonly kind: string;
  /** The field of the create input that takes its id. */
  readonly input: string;
  /** The field of this kind that links to it. */
  readonly link: string;
  /** The field of the parent that has these objects. */
  readonly children: string;
  readonly has: 'one' | 'list' | 'pages';
}

export interface Kind {
  /** Its type in the graph. */
  readonly type: string;
  /** In the plural, as a command names it. */
  readonly noun: string;
  readonly singular: string;
  readonly short: readonly string[];
  readonly description: string;
  /** Where its natural key is unique. */
  readonly scope: 'installation' | 'project' | 'parent';
  readonly parent?: Parent;
  /** Fields of the create input by which people know one of them; none: only the id. */
  readonly key: readonly string[];
  /** The root field of the list, with the arguments that narrow it. */
  readonly list?: { readonly field: string; readonly filters: readonly InputField[] };
  /** The root field of one object by its id. */
  readonly one?: string;
  /** Has an id: it is found by that too. */
  readonly node: boolean;
  readonly output: readonly OutputField[];
  /** Names of output fields, in the order of a table. */
  readonly columns: readonly string[];
  /** By verb. */
  readonly actions: Readonly<Record<string, Action>>;
}

export interface Registry {
  /** By type, in the order in which objects may refer to each other. */
  readonly kinds: Readonly<Record<string, Kind>>;
  /** Mutations that are relayed to a backend, which their input selects. By name. */
  readonly calls: Readonly<Record<string, Action>>;
  readonly inputs: Readonly<Record<string, InputType>>;
  /** Words with their meaning. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Fields of inputs that a program fills in. */
export const ownFields: ReadonlySet<string> = new Set(['id', 'idempotencyKey', 'expectedVersion']);

/** `gslbPool`: GslbPool. */
export function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

export function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

/** The name in an answer of a field of a variant. */
export function aliasOf({ as }: OutputVariant, { name, aliased }: OutputField): string {
  return aliased === true ? `${as}_${name}` : name;
}

/** `minTtlSeconds`: min-ttl-seconds. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '-'}${letter.toLowerCase()}`);
}
