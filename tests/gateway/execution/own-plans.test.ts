// The planner has a plan for every document of the command line, the dashboard and the examples, and for every root field of the product's
// graph.
// needs: processes
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type GraphQLField,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  isRequiredArgument,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
} from 'graphql';
import { pino } from 'pino';
import { CompiledExecutor } from '../../../gateway/execution/compiled-executor.ts';
import { ProcessPlanner } from '../../../gateway/execution/process-planner.ts';
import type { SubgraphLink } from '../../../gateway/supergraph/subgraph-link.ts';
import { Supergraph } from '../../../gateway/supergraph/supergraph.ts';
import * as commandLine from '../../../generated/cli/graphql.ts';
import * as dashboard from '../../../generated/dashboard/graphql.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';

const supergraph = new Supergraph(readSupergraph());
const { schema } = supergraph;
const log = pino({ level: 'silent' });
const screens = join(import.meta.dirname, '../../../docs/examples/screens');
/** Levels of fields in the selection of a root field. */
const deepest = 2;
let planner: ProcessPlanner;
let executor: CompiledExecutor;

beforeAll(async () => {
  planner = new ProcessPlanner({ supergraphSdl: supergraph.sdl, log });
  await planner.start();
  const links = new Map(supergraph.subgraphNames.map((name) => [name, { name } as SubgraphLink]));
  executor = new CompiledExecutor({ supergraph, planner, links, log });
});

afterAll(() => planner?.close());

/** The plan of a document. Variables that include or skip fields are true. */
async function planOf(text: string) {
  const document = parse(text, { noLocation: true });
  const [operation] = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
  const conditions = operation?.variableDefinitions?.filter(({ type }) => print(type).startsWith('Boolean')) ?? [];
  const optional = { ...operation, variableDefinitions: operation?.variableDefinitions?.map(asOptional) };
  const definitions = document.definitions.map((each) => (each === operation ? optional : each));
  const variables = Object.fromEntries(conditions.map(({ variable }) => [variable.name.value, true]));
  const context = { identity: null, requestId: 'r', loaders: new Map() };
  return executor.explain({
    ...{ key: text, document: { ...document, definitions } as typeof document, variables, context },
    operationName: undefined,
  });
}

/** Makes variables optional, because a plan does not need their values. */
function asOptional(definition: NonNullable<OperationDefinitionNode['variableDefinitions']>[number]) {
  const { type } = definition;
  return { ...definition, type: type.kind === Kind.NON_NULL_TYPE ? type.type : type };
}

const documents = Object.entries({ ...commandLine, ...dashboard }).filter(([name]) => name.endsWith('Document'));

test('every document of the command line and of the dashboard', async () => {
  expect(documents.length).toBeGreaterThan(150);
  for (const [name, text] of documents)
    await expect(planOf(String(text)).catch((error: unknown) => `${name}: ${error}`)).resolves.toEqual(
      expect.any(Object),
    );
}, 60_000);

test('every document of the dashboard pages', async () => {
  const files = (await readdir(screens)).filter((name) => name.endsWith('.graphql'));
  expect(files.length).toBe(10);
  for (const name of files) expect(await planOf(await readFile(join(screens, name), 'utf8'))).toBeDefined();
});

const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
  Object.values(type?.getFields() ?? {}).map((field) => ({ type, field })),
);

test(`every root field, with its whole selection to ${deepest} levels`, async () => {
  expect(roots.length).toBeGreaterThan(200);
  for (const { type, field } of roots) {
    const kind =
      type === schema.getMutationType() ? 'mutation' : type === schema.getSubscriptionType() ? 'subscription' : 'query';
    const variables: string[] = [];
    const selection = selected(field, deepest, variables);
    const given = variables.length === 0 ? '' : `(${variables.join(', ')})`;
    const text = `${kind}${given} { ${selection} }`;
    await expect(planOf(text).catch((error: unknown) => `${field.name}: ${error}`)).resolves.toEqual(
      expect.any(Object),
    );
  }
}, 120_000);

/** A field with its whole selection. Required arguments become variables. */
function selected(field: GraphQLField<unknown, unknown>, levels: number, variables: string[]): string {
  const given = field.args.filter(isRequiredArgument).map((argument) => {
    const name = `v${variables.length}`;
    variables.push(`$${name}: ${String(argument.type).replace(/!$/, '')} = null`);
    return `${argument.name}: $${name}`;
  });
  const head = `${field.name}${given.length === 0 ? '' : `(${given.join(', ')})`}`;
  const type = getNamedType(field.type);
  if (!isCompositeType(type)) return head;
  const objects = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
  const below = objects.map((object) => {
    const fields = isObjectType(object) && levels > 0 ? Object.values(object.getFields()) : [];
    const inside = fields
      .filter(({ type: of }) => levels > 1 || !isCompositeType(getNamedType(of)))
      .map((each, index) => `f${index}: ${selected(each, levels - 1, variables)}`);
    return `... on ${object.name} { ${['__typename', ...inside].join(' ')} }`;
  });
  return `${head} { ${below.join(' ')} }`;
}
