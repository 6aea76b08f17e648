// The rules of design.md, "The graph", that a machine can see: descriptions, object-first mutations with one input and a
// payload with userErrors, connections.
import {
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  type TypeNode,
} from 'graphql';

/** Arguments that mean the same everywhere need no words of their own. */
const conventionalArguments = new Set(['id', 'input', 'first', 'after', 'filter']);
const verbs = /^(create|update|delete|remove|add|set|get|list|make|settle|accept|close|enable|disable|revoke)[A-Z]/;
const rootTypes = new Set(['Query', 'Mutation', 'Subscription']);
/** Mutations that give credentials write nothing that has to be replicated. */
const withoutCommit = new Set(['login', 'sessionRefresh', 'logout']);

/** Faults of the whole graph: of each subgraph's SDL. */
export function lintGraph(subgraphs: ReadonlyMap<string, string>): string[] {
  return [...subgraphs].flatMap(([name, sdl]) => lintSdl(name, sdl));
}

export function lintSdl(name: string, sdl: string): string[] {
  const { definitions } = parse(sdl);
  const types = new Map(definitions.filter(isObject).map((each) => [each.name.value, each]));
  const faults = definitions.flatMap((definition) => [...lintDescriptions(definition), ...lintConnections(definition)]);
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
  if (input?.name.value !== 'input' || others.length > 0) faults.push(`${path} must take exactly one argument, input`);
  const payload = types.get(typeName(field.type));
  if (field.type.kind !== Kind.NON_NULL_TYPE || payload === undefined || !payload.name.value.endsWith('Payload')) {
    return [...faults, `${path} must return a payload type, not null`];
  }
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

function lintConnections(definition: DefinitionNode): string[] {
  if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION) return [];
  const name = definition.name.value;
  const fields = definition.fields ?? [];
  const faults: string[] = [];
  if (name.endsWith('Connection')) {
    const names = fields.map((field) => field.name.value);
    if (!names.includes('nodes') || !names.includes('pageInfo')) faults.push(`${name} needs nodes and pageInfo`);
  }
  for (const field of fields) {
    const names = (field.arguments ?? []).map((argument) => argument.name.value);
    const isConnection = typeName(field.type).endsWith('Connection');
    if (isConnection !== (names.includes('first') && names.includes('after'))) {
      faults.push(`${name}.${field.name.value}: connections, and only they, take first and after`);
    }
  }
  return name === 'Subscription' ? faults.filter((fault) => !fault.includes('only they')) : faults;
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
