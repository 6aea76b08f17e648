// Effects of a graph change on clients. `elements` lists everything in the SDL that a client can depend on.
import {
  type ConstDirectiveNode,
  findBreakingChanges,
  type GraphQLArgument,
  type GraphQLEnumValue,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  print,
  valueFromASTUntyped,
} from 'graphql';
import { roleIn, rolesThatHave } from '../platform/graph/terms.ts';
import { deprecationOf } from './deprecation.ts';

/** Anything in a schema that can have a directive. */
interface Element {
  /** `Type`, `Type.field`, `Type.field(argument:)` or `@directive(argument:)`. */
  readonly path: string;
  readonly kind: 'type' | 'field' | 'input' | 'value';
  readonly type?: GraphQLType;
  readonly description: string | null | undefined;
  readonly directives: readonly ConstDirectiveNode[];
  /** Default of an argument or an input field, in SDL. */
  readonly fallback?: string | undefined;
  readonly url?: string | null | undefined;
}

/**
 * Changes that break clients, and changes by which the same request does something else or is refused sooner. Clients must accept
 * what else graphql-js calls dangerous: new values, types of a union, and optional inputs.
 */
export function clientChanges(
  before: GraphQLSchema,
  after: GraphQLSchema,
): { readonly breaking: readonly string[]; readonly others: readonly string[] } {
  const now = elementsOf(after);
  const [breaking, others]: [string[], string[]] = [[], []];
  for (const [path, old] of elementsOf(before)) {
    const element = now.get(path);
    if (element === undefined) continue;
    breaking.push(...stricter(old, element).map((words) => `${path} ${words}.`));
    others.push(...otherwise(old, element).map((words) => `${path} ${words}.`));
  }
  const found = findBreakingChanges(before, after).map(({ description }) => description);
  return { breaking: [...found, ...breaking], others };
}

/** Elements by path. A removed one is a breaking change for graphql-js. */
export function elementsOf(schema: GraphQLSchema): ReadonlyMap<string, Element> {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
  const ownDirectives = schema.getDirectives().filter((each) => !isSpecifiedDirective(each));
  const elements = [
    ...types.flatMap(elementsOfType),
    ...ownDirectives.flatMap(({ name, args }) => args.map((each) => inputElement(`@${name}(${each.name}:)`, each))),
  ];
  return new Map(elements.map((element) => [element.path, element]));
}

function elementsOfType(type: GraphQLNamedType): Element[] {
  const { name, description, astNode } = type;
  const url = 'specifiedByURL' in type ? type.specifiedByURL : undefined;
  const self: Element = { path: name, kind: 'type', description, directives: astNode?.directives ?? [], url };
  if (isEnumType(type)) return [self, ...type.getValues().map((value) => valueElement(name, value))];
  if (isInputObjectType(type))
    return [self, ...Object.values(type.getFields()).map((field) => inputElement(`${name}.${field.name}`, field))];
  if (!isObjectType(type) && !isInterfaceType(type)) return [self];
  return [self, ...Object.values(type.getFields()).flatMap((field) => fieldElements(name, field))];
}

function fieldElements(owner: string, field: GraphQLField<unknown, unknown>): Element[] {
  const { name, type, description, astNode, args } = field;
  const path = `${owner}.${name}`;
  const self: Element = { path, kind: 'field', type, description, directives: astNode?.directives ?? [] };
  return [self, ...args.map((each) => inputElement(`${path}(${each.name}:)`, each))];
}

function inputElement(path: string, input: GraphQLArgument | GraphQLInputField): Element {
  const { type, description, astNode } = input;
  const fallback = astNode?.defaultValue && print(astNode.defaultValue);
  return { path, kind: 'input', type, description, directives: astNode?.directives ?? [], fallback };
}

function valueElement(owner: string, { name, description, astNode }: GraphQLEnumValue): Element {
  return { path: `${owner}.${name}`, kind: 'value', description, directives: astNode?.directives ?? [] };
}

/** Values that are refused now, or may be null now. */
function stricter(before: Element, after: Element): string[] {
  const [old, now] = [roleIn(before.description), roleIn(after.description)];
  return [
    ...nullLevels(before)
      .filter((level) => !nullLevels(after).includes(level) && !isNonNullAt(after.type, level))
      .map((level) => `may be null without an error${level === 0 ? '' : ` at level ${level} of its lists`}`),
    ...(isGiven(after, 'oneOf') && !isGiven(before, 'oneOf') ? ['takes exactly one of its fields'] : []),
    ...(old && now && !rolesThatHave(now).includes(old) ? [`needs the role ${now} and needed ${old}`] : []),
    ...(isGiven(after, 'tag') && !isGiven(before, 'tag') ? ['left the public part of the graph'] : []),
    ...(before.path.startsWith('@') && String(before.type) !== String(after.type)
      ? [`has the type ${String(after.type)} and had ${String(before.type)}`]
      : []),
  ];
}

/** The same request has another effect or another cost. */
function otherwise(before: Element, after: Element): string[] {
  const [weight, oldWeight] = [weightOf(after), weightOf(before)];
  const [until, oldUntil] = [after, before].map((each) => deprecationOf(each.directives)?.until);
  return [
    ...changed('the default', before.fallback, wasRequired(before) ? before.fallback : after.fallback),
    ...(weight > oldWeight ? [`costs ${weight} and cost ${oldWeight}`] : []),
    ...changed('the specification', before.url ?? undefined, before.url ? (after.url ?? undefined) : undefined),
    ...(until && oldUntil && until < oldUntil
      ? [`may be removed from ${until}, and was promised until ${oldUntil}`]
      : []),
    ...unknownDirectives(before, after),
  ];
}

function changed(what: string, old: string | undefined, now: string | undefined): string[] {
  return old === now ? [] : [`has ${what} ${now ?? '(none)'} and had ${old ?? '(none)'}`];
}

/** Whether it could not be omitted before, so that a first default changes nothing. */
function wasRequired({ type, fallback }: Element): boolean {
  return isNonNullType(type) && fallback === undefined;
}

/** Directives that are compared above, and not as they are written. All others are, `@listSize` among them. */
const compared: ReadonlySet<string> = new Set(['semanticNonNull', 'oneOf', 'tag', 'cost', 'specifiedBy', 'deprecated']);

function unknownDirectives(before: Element, after: Element): string[] {
  const names = new Set([...before.directives, ...after.directives].map(({ name }) => name.value));
  return [...names].flatMap((name) => {
    if (compared.has(name)) return [];
    const [old, now] = [before, after].map((each) => textOf(each, name));
    return old === now ? [] : [`has ${now ?? `no @${name}`} and had ${old ?? 'none'}`];
  });
}

const isGiven = (element: Element, name: string) => directiveOf(element, name) !== undefined;

function directiveOf({ directives }: Element, name: string): ConstDirectiveNode | undefined {
  return directives.find((each) => each.name.value === name);
}

function textOf(element: Element, name: string): string | undefined {
  const found = element.directives.filter((each) => each.name.value === name);
  return found.length === 0 ? undefined : found.map(print).toSorted().join(' ');
}

function argumentOf(directive: ConstDirectiveNode | undefined, argument: string): unknown {
  const value = directive?.arguments?.find(({ name }) => name.value === argument)?.value;
  return value && valueFromASTUntyped(value);
}

/** Counts like the gateway: a field costs 1 without `@cost`, everything else nothing. */
function weightOf(element: Element): number {
  return Number(argumentOf(directiveOf(element, 'cost'), 'weight') ?? (element.kind === 'field' ? 1 : 0));
}

/** Levels of the field's lists at which null comes only with an error; 0 is the field itself. */
function nullLevels(element: Element): readonly number[] {
  const directive = directiveOf(element, 'semanticNonNull');
  if (directive === undefined) return [];
  return (argumentOf(directive, 'levels') as readonly number[] | undefined) ?? [0];
}

function isNonNullAt(type: GraphQLType | undefined, level: number): boolean {
  const isRequired = isNonNullType(type);
  if (level === 0) return isRequired;
  const inner = isRequired ? type.ofType : type;
  return isListType(inner) && isNonNullAt(inner.ofType, level - 1);
}
