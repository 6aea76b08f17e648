// The directives of Federation that composition and execution carry out here. Every other one is refused where a graph is composed or
// loaded: an @authenticated that composes and protects nothing is worse than an error.
import {
  type ArgumentNode,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  Kind,
  visit,
} from 'graphql';

/** In the SDL of a subgraph of another team: they add to the graph. `@override`, for example, would take a field away from us. */
export const outsideDirectives: ReadonlySet<string> = new Set([
  ...['key', 'external', 'requires', 'provides', 'shareable', 'inaccessible', 'tag', 'link', 'composeDirective'],
  ...['deprecated', 'specifiedBy', 'oneOf', 'cost', 'listSize', 'semanticNonNull'],
]);
const subgraphDirectives: ReadonlySet<string> = new Set([
  ...outsideDirectives,
  ...['override', 'interfaceObject', 'extends'],
]);
const supergraphDirectives: ReadonlySet<string> = new Set([
  ...['join__graph', 'join__type', 'join__field', 'join__implements', 'join__unionMember', 'join__enumValue'],
  ...['link', 'inaccessible', 'tag', 'deprecated', 'specifiedBy', 'oneOf', 'cost', 'listSize', 'semanticNonNull'],
]);
/** By directive, in a subgraph or a supergraph. Of others, all. */
const argumentsOf: Readonly<Record<string, ReadonlySet<string>>> = {
  override: new Set(['from']),
  join__field: new Set(['graph', 'requires', 'provides', 'type', 'external', 'override', 'usedOverridden']),
};

/** A directive that is not on the list, or an argument of it. */
interface UnknownDirective {
  /** As `Type.field` or `Type.field(argument:)`. */
  readonly place: string;
  /** As `@override(label:)`. */
  readonly what: string;
}

/** What the SDL of a subgraph has that is not carried out, each with its place. */
export function notCarriedOut(subgraph: DocumentNode): string[] {
  return unknownDirectives(subgraph, subgraphDirectives).map(worded);
}

/** The same of a supergraph. */
export function notCarriedOutIn(supergraph: DocumentNode): string[] {
  return unknownDirectives(supergraph, supergraphDirectives).map(worded);
}

function worded({ place, what }: UnknownDirective): string {
  return `${place} has ${what}, which this gateway does not carry out: remove it`;
}

export function unknownDirectives(document: DocumentNode, known: ReadonlySet<string>): UnknownDirective[] {
  const nameOf = federationNames(document);
  return document.definitions.flatMap((definition) => {
    const found: UnknownDirective[] = [];
    const path: string[] = [];
    visit(definition, {
      enter(node, key) {
        // A directive's own definition uses none of Federation.
        if (node.kind === Kind.DIRECTIVE_DEFINITION) return false;
        if (node.kind === Kind.DIRECTIVE) found.push(...unknownIn(node, nameOf(node.name.value), known, path));
        else if (typeof key === 'number' && 'name' in node && node.name !== undefined) path.push(node.name.value);
        return undefined;
      },
      leave(node, key) {
        if (node.kind === Kind.DIRECTIVE || typeof key !== 'number') return;
        if ('name' in node && node.name !== undefined) path.pop();
      },
    });
    return found.map(({ place, what }) => ({ place: placeIn(definition, place), what }));
  });
}

function unknownIn(
  { name, arguments: given = [] }: DirectiveNode,
  original: string,
  known: ReadonlySet<string>,
  path: readonly string[],
): UnknownDirective[] {
  const [field, argument] = path;
  const place = [field === undefined ? '' : `.${field}`, argument === undefined ? '' : `(${argument}:)`].join('');
  const written = name.value === original ? `@${name.value}` : `@${name.value} (@${original})`;
  if (!known.has(original)) return [{ place, what: written }];
  const allowed = argumentsOf[original];
  return given
    .filter((each) => allowed !== undefined && !allowed.has(each.name.value))
    .map((each) => ({ place, what: `${written} with ${each.name.value}` }));
}

function placeIn(definition: DefinitionNode, place: string): string {
  return `${'name' in definition && definition.name !== undefined ? definition.name.value : 'The schema'}${place}`;
}

/** The name that Federation has for a directive: a @link may rename it. */
function federationNames({ definitions }: DocumentNode): (name: string) => string {
  const imported = new Map<string, string>();
  const prefixes = ['federation__'];
  for (const definition of definitions) {
    if (definition.kind !== Kind.SCHEMA_EXTENSION && definition.kind !== Kind.SCHEMA_DEFINITION) continue;
    for (const link of (definition.directives ?? []).filter(({ name }) => name.value === 'link')) {
      const prefix = textOf(argumentOf(link, 'as'));
      if (prefix !== undefined) prefixes.push(`${prefix}__`);
      for (const [name, as] of importsOf(argumentOf(link, 'import'))) imported.set(as, name);
    }
  }
  return (name) => {
    const prefix = prefixes.find((each) => name.startsWith(each));
    return prefix === undefined ? (imported.get(name) ?? name) : name.slice(prefix.length);
  };
}

type Value = ArgumentNode['value'] | undefined;

function argumentOf({ arguments: given }: ConstDirectiveNode, name: string): Value {
  return given?.find((each) => each.name.value === name)?.value;
}

function textOf(value: Value): string | undefined {
  return value?.kind === Kind.STRING ? value.value : undefined;
}

/** Original names with those in the SDL, without `@`. */
function importsOf(list: Value): readonly (readonly [string, string])[] {
  if (list?.kind !== Kind.LIST) return [];
  return list.values.flatMap((item) => {
    if (item.kind !== Kind.OBJECT) return [];
    const named = (wanted: string) => textOf(item.fields.find(({ name }) => name.value === wanted)?.value);
    const [name, as] = [named('name'), named('as')];
    return name?.startsWith('@') === true && as !== undefined ? [[name.slice(1), as.replace(/^@/, '')] as const] : [];
  });
}
