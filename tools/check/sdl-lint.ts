// The rules of design.md, "The graph", that can be checked automatically: descriptions, object-first mutations with one input and
// a payload with userErrors, connections, filters.
import {
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  type TypeNode,
} from 'graphql';
import { readSharedSdl } from '../../platform/graph/sdl.ts';
import { defaultPageSize } from '../../platform/pages/connection.ts';

/** Arguments that mean the same everywhere need no description. */
const conventionalArguments = new Set(['id', 'input', 'first', 'after']);
const verbs = /^(create|update|delete|remove|add|set|get|list|make|settle|accept|close|enable|disable|revoke)[A-Z]/;
const rootTypes = new Set(['Query', 'Mutation', 'Subscription']);
/** Mutations that return credentials write nothing that has to be replicated. */
const withoutCommit = new Set(['login', 'sessionStart', 'sessionRefresh', 'logout']);

/**
 * Words that a subgraph's type names may begin with, besides its own name and the entities that it owns. More general types
 * belong in schema/shared.graphql, because the next subgraph that used the word would not compose.
 */
const wordsOf: Readonly<Record<string, readonly string[]>> = {
  system: ['Membership', 'Viewer', 'Status', 'Audit', 'Login', 'Logout', 'Session', 'Ha', 'Configuration'],
  relay: ['Firewall', 'Waf', 'Switch', 'Network', 'Router'],
  loadbalancer: ['ScalingDecision'],
  'object-storage': ['ObjectService', 'ObjectUpload', 'ObjectDownload', 'ObjectDelete'],
};

/** Faults of the whole graph, from the complete SDL of each subgraph. */
export function lintGraph(subgraphs: ReadonlyMap<string, string>, shared = readSharedSdl()): string[] {
  const generic = new Set(parse(shared).definitions.flatMap(nameOf));
  const definedBy = new Map<string, string>();
  const faults: string[] = [];
  for (const [subgraph, sdl] of subgraphs) {
    faults.push(...lintSdl(subgraph, sdl));
    const { definitions } = parse(sdl);
    const prefixes = [pascal(subgraph), ...(wordsOf[subgraph] ?? []), ...definitions.filter(isEntity).flatMap(nameOf)];
    for (const definition of definitions.filter((each) => !isExtension(each) && !isEntityOrStub(each))) {
      const [name] = nameOf(definition);
      if (name === undefined || generic.has(name) || rootTypes.has(name)) continue;
      if (!prefixes.some((prefix) => name.startsWith(prefix)))
        faults.push(
          `${subgraph}.graphql: ${name} begins with no type of ${subgraph}: only schema/shared.graphql is generic, so begin it with ${prefixes.join(' or ')}`,
        );
      const other = definedBy.get(name);
      if (other !== undefined) faults.push(`${subgraph}.graphql: ${name} is defined by ${other} too`);
      definedBy.set(name, subgraph);
    }
  }
  return faults;
}

function nameOf(definition: DefinitionNode): string[] {
  return 'name' in definition && definition.name !== undefined ? [definition.name.value] : [];
}

function pascal(name: string): string {
  return name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
}

function isEntityOrStub(definition: DefinitionNode): boolean {
  return isObject(definition) && (definition.directives ?? []).some(({ name }) => name.value === 'key');
}

/** Whether the type has a key, and is not a stub of another subgraph's entity. */
function isEntity(definition: DefinitionNode): boolean {
  const keys = isObject(definition) ? (definition.directives ?? []).filter(({ name }) => name.value === 'key') : [];
  return keys.some((key) => !key.arguments?.some(({ name }) => name.value === 'resolvable'));
}

export function lintSdl(name: string, sdl: string): string[] {
  const { definitions } = parse(sdl);
  const types = new Map(definitions.filter(isObject).map((each) => [each.name.value, each]));
  const faults = definitions.flatMap((definition) => [...lintDescriptions(definition), ...lintReads(definition)]);
  for (const mutation of types.get('Mutation')?.fields ?? []) faults.push(...lintMutation(mutation, types));
  return faults.map((fault) => `${name}.graphql: ${fault}`);
}

function lintDescriptions(definition: DefinitionNode): string[] {
  if (!('name' in definition) || definition.name === undefined || isExtension(definition)) return [];
  const name = definition.name.value;
  if (!('description' in definition)) return [];
  const faults: string[] = [];
  if (isBlank(definition.description?.value) && !rootTypes.has(name)) faults.push(`${name} has no description`);
  if (definition.kind === Kind.ENUM_TYPE_DEFINITION) {
    for (const value of definition.values ?? []) {
      if (isBlank(value.description?.value)) faults.push(`${name}.${value.name.value} has no description`);
    }
  }
  if (!('fields' in definition)) return faults;
  const fields: readonly (FieldDefinitionNode | InputValueDefinitionNode)[] = definition.fields ?? [];
  for (const field of fields) {
    const path = `${name}.${field.name.value}`;
    if (isBlank(field.description?.value)) faults.push(`${path} has no description`);
    if (field.kind !== Kind.FIELD_DEFINITION) continue;
    for (const argument of field.arguments ?? []) {
      if (conventionalArguments.has(argument.name.value) || !isBlank(argument.description?.value)) continue;
      faults.push(`${path}(${argument.name.value}) has no description`);
    }
  }
  return faults;
}

function lintMutation(field: FieldDefinitionNode, types: ReadonlyMap<string, ObjectTypeDefinitionNode>): string[] {
  const path = `Mutation.${field.name.value}`;
  const faults: string[] = [];
  if (verbs.test(field.name.value)) faults.push(`${path} begins with a verb: name the object first`);
  const [input, ...others] = field.arguments ?? [];
  const inputName = `${field.name.value.charAt(0).toUpperCase()}${field.name.value.slice(1)}Input`;
  if (input?.name.value !== 'input' || others.length > 0) faults.push(`${path} must take exactly one argument, input`);
  else if (typeName(input.type) !== inputName) faults.push(`${path} must take an ${inputName}`);
  const payload = types.get(typeName(field.type));
  if (payload === undefined || !payload.name.value.endsWith('Payload'))
    return [...faults, `${path} must return a payload type`];
  const fields = new Map(payload.fields?.map((each) => [each.name.value, each]));
  const userErrors = fields.get('userErrors');
  if (userErrors === undefined || typeText(userErrors.type) !== '[UserError!]!') {
    faults.push(`${payload.name.value} needs userErrors: [UserError!]!`);
  }
  if (!withoutCommit.has(field.name.value) && typeText(fields.get('commit')?.type) !== 'Commit') {
    faults.push(`${payload.name.value} needs commit: Commit`);
  }
  for (const [name, each] of fields) {
    if (name !== 'userErrors' && each.type.kind === Kind.NON_NULL_TYPE) {
      faults.push(`${payload.name.value}.${name} must be nullable: a refusal has none`);
    }
  }
  return faults;
}

/**
 * Pages have the form `XConnection { nodes: [X!]! pageInfo: PageInfo! totalCount: Int }`, with first and after as the last arguments. The last
 * argument of a stream is after. Filters are separate arguments.
 */
function lintReads(definition: DefinitionNode): string[] {
  if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION) return [];
  const name = definition.name.value;
  const fields = definition.fields ?? [];
  const faults: string[] = [];
  if (name.endsWith('Connection')) {
    const types = fields.map((field) => `${field.name.value}: ${typeText(field.type)}`);
    const wanted = [`nodes: [${name.slice(0, -'Connection'.length)}!]!`, 'pageInfo: PageInfo!', 'totalCount: Int'];
    if (types.join() !== wanted.join()) faults.push(`${name} needs ${wanted.join(' and ')}, and no more`);
  }
  for (const field of fields) {
    const path = `${name}.${field.name.value}`;
    faults.push(
      ...lintFilters(path, field),
      ...(name === 'Subscription' ? lintSubscription(field) : lintPage(path, field)),
    );
  }
  return faults;
}

function lintPage(path: string, { type, arguments: given = [] }: FieldDefinitionNode): string[] {
  const paging = given.filter(({ name }) => name.value === 'first' || name.value === 'after');
  // Feeds that are read only by position take `after` and a limit of their own.
  const isConnection = typeName(type).endsWith('Connection');
  if (!isConnection) return paging.some(({ name }) => name.value === 'first') ? [`${path}: ${onlyConnections}`] : [];
  const last = given.slice(-2).map(({ name, type: each, defaultValue }) => {
    const usual = defaultValue?.kind === Kind.INT ? ` = ${defaultValue.value}` : '';
    return `${name.value}: ${typeText(each)}${usual}`;
  });
  return last.join(', ') === pageArguments ? [] : [`${path}: ${onlyConnections}`];
}

const pageArguments = `first: Int = ${defaultPageSize}, after: String`;
const onlyConnections = `connections, and only they, end with ${pageArguments}`;

/** Each filter is a separate argument, `projectId` or `states`, not part of an input. */
function lintFilters(path: string, { arguments: given = [] }: FieldDefinitionNode): string[] {
  return given
    .filter(({ name, type }) => name.value === 'filter' || typeName(type).endsWith('Filter'))
    .map(({ name }) => `${path}(${name.value}): make each filter an argument of its own`);
}

function lintSubscription({ name, type, arguments: given = [] }: FieldDefinitionNode): string[] {
  const last = given.at(-1);
  const isResumable = last?.name.value === 'after' && typeText(last.type) === 'String';
  if (isResumable && typeName(type).endsWith('FeedItem')) return [];
  return [`Subscription.${name.value} must end with after: String, and give a type …FeedItem`];
}

function isObject(definition: DefinitionNode): definition is ObjectTypeDefinitionNode {
  return definition.kind === Kind.OBJECT_TYPE_DEFINITION;
}

function isExtension(definition: DefinitionNode): boolean {
  return definition.kind.endsWith('Extension');
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === '';
}

function typeName(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : typeName(type.type);
}

function typeText(type: TypeNode | undefined): string {
  if (type === undefined) return '';
  if (type.kind === Kind.NAMED_TYPE) return type.name.value;
  return type.kind === Kind.LIST_TYPE ? `[${typeText(type.type)}]` : `${typeText(type.type)}!`;
}
