// Every list of the graph, with every filter, reads a bounded number of rows for a page. A caller with few rows does
// not read those of all others, and a filter that matches nothing ends soon. Lists and filters come from the schema, so
// that no new one is left out.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  buildASTSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
} from 'graphql';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { ListContext, listCaller, subgraphSdls } from '../../support/stores/lists/list-context.ts';
import { bigProject, fillTables, newProject, oldProject, uuid } from '../../support/stores/lists/rows.ts';

/** Rows that a page of 20 may read. */
const mostRead = 1_000;

/** Rows that a count may read: 10,000, and the same again where they are gathered. */
const mostReadToCount = 20_100;

/** A text search also reads the name of each call's backend. */
const longerToCount: Readonly<Record<string, number>> = { 'Query.relayOperations': 60_000 };

/** Rows of a page that may be sorted. Merging a few ranges is fine; sorting because an index lacks the order is not. */
const mostSorted = 200;

/** Lists outside the central database, which are read from a cluster or from the database hosts. */
const elsewhere = ['Query.objectContainers', 'ObjectContainer.objects', 'ObjectContainer.entries', 'Query.haMoves'];

/** A filter that is given without a project or others. */
const givenAlone: Readonly<Record<string, string>> = { 'Query.configurationVersions': 'subjectId' };

/** Its rows hold packed rings, which this test does not create, so the list fails after it has read them. */
const unreadable = ['Query.objectRings'];

/**
 * Lists with a higher limit. A text search reads up to 10,000 calls of a range (docs/decisions/0044). Administrators
 * see all zones of a name server and the rings of all options, and there are few of those.
 */
const longer: Readonly<Record<string, number>> = {
  'Query.relayOperations': 25_000,
  'Query.gslbNameServers': 10_000,
  'Query.objectRings': 10_000,
};

interface List {
  readonly subgraph: string;
  readonly type: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
}

const lists: readonly List[] = subgraphSdls.flatMap(({ row, sdl }) => listsOf(row.name, sdl));

let ground: ListContext;

/** A field is a list if it has an argument `first`. */
function listsOf(subgraph: string, sdl: string): List[] {
  const schema = buildASTSchema(parse(sdl), { assumeValid: true, assumeValidSDL: true });
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter(({ args }) => args.some(({ name }) => name === 'first'))
        .map((field) => ({ subgraph, type, field })),
    );
}

const nameOf = ({ type, field }: List): string => `${type.name}.${field.name}`;

/** The type behind each argument named ...Id. */
const idTypes: Readonly<Record<string, string>> = {
  ...{ projectId: 'Project', backendId: 'Backend', gslbId: 'Gslb', memberId: 'GslbPoolMember' },
  ...{ vantagePointId: 'GslbVantagePoint', subjectId: 'Backend', subjectIds: 'Backend', userId: 'User' },
};

/** Values of text arguments with a fixed set of values. Other texts match no row, or one. */
const texts: Readonly<Record<string, readonly unknown[]>> = {
  kinds: [['gslb.operatingStatus'], ['relayOperation.state']],
  subjectTypes: [['Gslb'], ['Backend']],
};

/** GraphQL literals for one argument: common and rare values. */
function valuesOf({ name, type }: GraphQLArgument): readonly string[] {
  const named = getNamedType(type);
  const known = texts[name];
  if (known !== undefined) return known.map((value) => JSON.stringify(value));
  const wrap = (values: readonly string[]) => values.map((value) => (isList(type) ? `[${value}]` : value));
  if (isEnumType(named)) return wrap(named.getValues().map((value) => value.name));
  if (isInputObjectType(named)) {
    const objects: Readonly<Record<string, readonly string[]>> = {
      CmpObjectInput: ['one', 'none'].map((id) => `{ namespace: "one", type: "one", externalId: "${id}" }`),
      BackendLabelInput: ['n5', 'none'].map((value) => `{ name: "n5", value: "${value}" }`),
    };
    return given(objects[named.name], `values of ${named.name}`);
  }
  switch (named.name) {
    case 'ID':
      return wrap([1, 2, 7].map((at) => JSON.stringify(encodeId(given(idTypes[name], `type of ${name}`), uuid(at)))));
    case 'Boolean':
      return ['true', 'false'];
    case 'DateTime':
      return ['2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z'].map((at) => JSON.stringify(at));
    case 'String':
      return wrap(['n5', 'n', 'none'].map((text) => JSON.stringify(text)));
    default:
      throw new Error(`say what values ${name}: ${named.name} has`);
  }
}

function isList(type: GraphQLInputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

function given<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`say the ${what} in this test`);
  return value;
}

/** Sets of arguments: none, each filter alone, and each with one project. */
function argumentsOf(list: List): readonly string[] {
  const { field } = list;
  const isJoined = (text: string) => !text.startsWith(`${givenAlone[nameOf(list)]}:`);
  const filters = field.args.filter(({ name }) => name !== 'first' && name !== 'after');
  const texts = filters.flatMap((argument) => valuesOf(argument).map((value) => `${argument.name}: ${value}`));
  const projects = texts.filter((text) => text.startsWith('projectId:'));
  const others = texts.filter((text) => !text.startsWith('projectId:') && isJoined(text));
  const both = others.flatMap((text) => projects.slice(0, 2).map((project) => `${project}, ${text}`));
  // Also all filters at once, because different indexes may serve the conditions.
  const all = filters.map((argument) => `${argument.name}: ${valuesOf(argument)[0]}`).filter(isJoined);
  return ['', ...texts, ...both, all.join(', ')].map((text) => `first: 20${text === '' ? '' : `, ${text}`}`);
}

function document(list: List, args: string, counted: boolean): string {
  const page = `${list.field.name}(${args}) { ${counted ? 'totalCount' : 'pageInfo { hasNextPage } nodes { __typename }'} }`;
  if (list.type.name === 'Query') return `{ ${page} }`;
  const key = list.type.name === 'CmpObject' ? JSON.stringify(['one', 'one', 'one']) : uuid(1);
  const id = JSON.stringify(encodeId(list.type.name, key));
  return `{ _entities(representations: [{ __typename: "${list.type.name}", id: ${id} }]) { ... on ${list.type.name} { ${page} } } }`;
}

const callers: readonly Identity[] = [
  listCaller('administrator', 'admin'),
  listCaller('big', { [bigProject]: 'OPERATOR' }),
  listCaller('old', { [oldProject]: 'OPERATOR' }),
  listCaller('newer', { [newProject]: 'OPERATOR' }),
  listCaller('both of them', { [bigProject]: 'OPERATOR', [oldProject]: 'OPERATOR' }),
];

interface Measured {
  readonly read: number;
  readonly sorted: number;
  readonly errors: string[];
}

/** Rows that one document reads for a page, or for its count. */
async function measure(list: List, caller: Identity, args: string, counted = false): Promise<Measured> {
  return ground.as(caller, async () => {
    const before = await ground.rowsRead();
    const between = await ground.rowsRead();
    const answer = await ground.ask(list.subgraph, caller, parse(document(list, args, counted)));
    const after = await ground.rowsRead();
    const read = after.read - between.read - (between.read - before.read);
    return { read, sorted: after.sorted - between.sorted, errors: (answer.errors ?? []).map(({ message }) => message) };
  });
}

beforeAll(async () => {
  ground = await ListContext.open();
  await fillTables(ground.db);
}, 300_000);

afterAll(() => ground.stop());

test('the schema has lists of every subgraph', () => {
  expect(new Set(lists.map(({ subgraph }) => subgraph)).size).toBe(subgraphRows.length);
});

describe.each(subgraphRows.map(({ name }) => name))('%s', (name) => {
  test('reads at most 1,000 rows for a page of each list, with each filter', async () => {
    const tooMuch: string[] = [];
    const failed: string[] = [];
    const idle: string[] = [];
    for (const list of lists.filter(
      ({ subgraph, ...rest }) => subgraph === name && !elsewhere.includes(nameOf({ subgraph, ...rest })),
    )) {
      let most = 0;
      for (const caller of callers)
        for (const args of argumentsOf(list)) {
          const { read, sorted, errors } = await measure(list, caller, args);
          most = Math.max(most, read);
          if (sorted > mostSorted) tooMuch.push(`${nameOf(list)}(${args}) of ${caller.name} sorts ${sorted}`);
          const total = await measure(list, caller, args, true);
          if (total.read > (longerToCount[nameOf(list)] ?? mostReadToCount))
            tooMuch.push(`totalCount of ${nameOf(list)}(${args}) of ${caller.name}: ${total.read}`);
          errors.push(...total.errors);
          if (read > (longer[nameOf(list)] ?? mostRead))
            tooMuch.push(`${nameOf(list)}(${args}) of ${caller.name}: ${read}`);
          for (const message of errors)
            if (!message.startsWith('Only ') && !unreadable.includes(nameOf(list)))
              failed.push(`${nameOf(list)}(${args}) of ${caller.name}: ${message}`);
        }
      // A list that read almost nothing was not measured.
      if (most < 20) idle.push(`${nameOf(list)}: ${most}`);
    }
    expect({ tooMuch, failed: [...new Set(failed)], idle }).toEqual({ tooMuch: [], failed: [], idle: [] });
  }, 300_000);
});
