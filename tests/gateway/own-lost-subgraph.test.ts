// Each mutation and query of the product's graph runs with fields of all other subgraphs, while each other subgraph is lost in turn. The
// answer of its own subgraph is complete, and every null has an error.
// needs: processes
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  execute,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  parse,
} from 'graphql';
import { pino } from 'pino';
import { CompiledExecutor } from '../../gateway/execution/compiled-executor.ts';
import { ProcessPlanner } from '../../gateway/execution/process-planner.ts';
import { lostSubgraph } from '../../gateway/supergraph/lost-subgraph.ts';
import type { LinkRequest, SubgraphLink } from '../../gateway/supergraph/subgraph-link.ts';
import { Supergraph } from '../../gateway/supergraph/supergraph.ts';
import { readSupergraph } from '../../platform/graph/generated-schema.ts';
import { readGraph } from '../../platform/graph/sdl.ts';

const supergraph = new Supergraph(readSupergraph());
const { schema } = supergraph;
const log = pino({ level: 'silent' });
let planner: ProcessPlanner;
let executor: CompiledExecutor;
let lost: string | undefined;
const asked = new Set<string>();

beforeAll(async () => {
  planner = new ProcessPlanner({ supergraphSdl: supergraph.sdl, log });
  await planner.start();
  const links = new Map(
    [...readGraph()].map(([name, sdl]) => [name, mockedLink(name, buildSubgraphSchema(parse(sdl)))]),
  );
  executor = new CompiledExecutor({ supergraph, planner, links, log });
});

afterAll(() => planner?.close());

/** A subgraph that has a value for every field, without resolvers. */
function mockedLink(name: string, own: GraphQLSchema): SubgraphLink {
  const answer = async ({ document, variables, operationName }: LinkRequest) =>
    execute({
      ...{ schema: own, document, variableValues: variables, operationName },
      fieldResolver: (source, _args, _context, { fieldName, returnType }) =>
        (source as Record<string, unknown> | undefined)?.[fieldName] ?? mocked(returnType, own),
      typeResolver: (value: { __typename: string }) => value.__typename,
    });
  return {
    ...{ name, ready: async () => true, close: async () => {} },
    async execute(request) {
      asked.add(name);
      if (name === lost) return lostSubgraph(name, request, /^\s*mutation/.test(request.text));
      return JSON.parse(JSON.stringify(await answer(request)));
    },
    async subscribe() {
      throw new Error('there are no subscriptions here');
    },
  };
}

const leafs: Readonly<Record<string, unknown>> = {
  ...{ Int: 1, Port: 1, Float: 1, Boolean: true, DateTime: '2026-01-01T00:00:00.000Z', JSON: {} },
};

function mocked(type: GraphQLOutputType, own: GraphQLSchema): unknown {
  if (isNonNullType(type)) return mocked(type.ofType, own);
  if (isListType(type)) return [mocked(type.ofType, own)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isLeafType(type)) return leafs[type.name] ?? 'x';
  const [object] = isAbstractType(type) ? own.getPossibleTypes(type) : [type];
  return object === undefined ? null : { __typename: object.name };
}

/** The smallest value that validation accepts. */
function literal(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(type.ofType);
  if (isListType(type)) return '[]';
  if (isEnumType(type)) return String(type.getValues()[0]?.name);
  if (!isInputObjectType(type)) return JSON.stringify(leafs[type.name] ?? 'x');
  const fields = Object.values(type.getFields());
  const given = type.isOneOf ? fields.slice(0, 1) : fields.filter(isRequiredInputField);
  return `{${given.map((field) => `${field.name}: ${literal(field.type)}`).join(', ')}}`;
}

function fieldText({ name, args, type }: GraphQLField<unknown, unknown>, levels: number): string {
  const given = args.filter(isRequiredArgument).map((each) => `${each.name}: ${literal(each.type)}`);
  const head = `${name}${given.length === 0 ? '' : `(${given.join(', ')})`}`;
  const named = getNamedType(type);
  if (isLeafType(named)) return head;
  const fields = isObjectType(named) ? Object.values(named.getFields()) : [];
  const inside = fields
    .filter((each) => !each.args.some(isRequiredArgument))
    .filter((each) => levels > 0 || isLeafType(getNamedType(each.type)))
    .map((each) => fieldText(each, levels - 1));
  return `${head} { ${['__typename', ...inside].join(' ')} }`;
}

interface Answer {
  readonly data?: Readonly<Record<string, Readonly<Record<string, unknown>> | null>> | null;
  readonly errors?: readonly unknown[];
}

async function ask(text: string): Promise<Answer> {
  const document = parse(text, { noLocation: true });
  asked.clear();
  const context = { identity: null, requestId: 'r', loaders: new Map() };
  const answer = await executor.execute({ key: text, document, variables: {}, context });
  return JSON.parse(JSON.stringify(answer));
}

function fieldsOf(type: GraphQLObjectType | null | undefined) {
  return Object.values(type?.getFields() ?? {});
}

/** Executes an operation with all subgraphs, and then without each subgraph that took part. */
async function withoutEach(text: string, judge: (whole: Answer, answer: Answer, lost: string) => string[]) {
  lost = undefined;
  const whole = await ask(text);
  if (whole.errors !== undefined)
    return { runs: 1, faults: [`${text.slice(0, 100)}: ${JSON.stringify(whole.errors[0])}`] };
  const faults: string[] = [];
  const subgraphs = [...asked];
  for (const name of subgraphs) {
    lost = name;
    const answer = await ask(text);
    faults.push(...judge(whole, answer, name).map((fault) => `${text.slice(0, 100)} without ${name}: ${fault}`));
  }
  return { runs: subgraphs.length, faults };
}

/** The response names of leaf values. */
function leafNames(object: Readonly<Record<string, unknown>> | null | undefined): readonly string[] {
  return Object.entries(object ?? {}).flatMap(([name, value]) =>
    value !== null && typeof value !== 'object' ? [name] : [],
  );
}

test('every mutation keeps the answer of its own subgraph', async () => {
  const faults: string[] = [];
  let runs = 0;
  for (const field of fieldsOf(schema.getMutationType())) {
    const owner = supergraph.ownerOf(`Mutation.${field.name}`);
    const found = await withoutEach(`mutation { ${fieldText(field, 2)} }`, (whole, answer, name) => {
      if (name === owner) return [];
      const payload = answer.data?.[field.name];
      const gone = leafNames(whole.data?.[field.name]).filter((each) => payload?.[each] == null);
      return [
        ...(payload == null ? ['no payload'] : gone.map((each) => `no ${each}`)),
        ...(answer.errors === undefined ? ['no error'] : []),
      ];
    });
    runs += found.runs;
    faults.push(...found.faults);
  }
  expect(faults).toEqual([]);
  expect(runs).toBeGreaterThan(250);
}, 120_000);

test('every query keeps the answers of other subgraphs', async () => {
  const faults: string[] = [];
  let runs = 0;
  for (const field of fieldsOf(schema.getQueryType())) {
    const text = `{ mine: me { name } ${fieldText(field, 2)} theirs: projects(first: 1) { nodes { name } } }`;
    const found = await withoutEach(text, (_whole, { data, errors }, name) => [
      ...(data == null ? ['no data'] : []),
      ...(errors === undefined ? ['no error'] : []),
      ...(name !== 'system' && (data?.mine?.name !== 'x' || data.theirs == null) ? ['no data of system'] : []),
    ]);
    runs += found.runs;
    faults.push(...found.faults);
  }
  expect(faults).toEqual([]);
  expect(runs).toBeGreaterThan(200);
}, 120_000);
