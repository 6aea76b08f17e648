// A subgraph that answers more than was requested. The extra values reach neither the client's answer nor requests to other subgraphs.
// needs: processes
import { describe, expect, test } from '@jest/globals';
import { type OperationDefinitionNode, parse } from 'graphql';
import { PossibleTypes } from '../../../gateway/execution/possible-types.ts';
import { RequestedFields } from '../../../gateway/execution/requested-fields.ts';
import type { LinkRequest } from '../../../gateway/supergraph/subgraph-link.ts';
import { federate, nullsAndErrors, usePlanners } from './support/federation.ts';

usePlanners();

const ownSdl = `
  interface Node { id: ID! }
  type Backend implements Node @key(fields: "id") { id: ID! name: String cert: String size: Size labels: [Label!] peer: Backend }
  type Certificate implements Node @key(fields: "id") { id: ID! name: String secret: String }
  type Size { width: Int height: Int }
  type Label { name: String value: String }
  type Query { backend: Backend backends: [Backend!] }`;
const outsideSdl = `
  interface Node { id: ID! }
  type Backend implements Node @key(fields: "id") { id: ID! note: String friend: Backend friends: [Backend] gadget: Gadget }
  type Certificate implements Node @key(fields: "id") { id: ID! note: String }
  type Gadget @key(fields: "id") { id: ID! title: String backend: Backend node: Node nodes: [Node] }
  type Query { gadget: Gadget gadgets: [Gadget] }
  type Subscription { gadgetChanges: GadgetChange }
  type GadgetChange { cursor: String! gadget: Gadget }`;

const resolvers = {
  Query: { backend: () => backendOf('b'), backends: () => ['b', 'c'].map(backendOf) },
  Backend: { __resolveReference: ({ id }: { id: string }) => (id === 'hidden' ? null : backendOf(id)) },
  Certificate: { __resolveReference: ({ id }: { id: string }) => ({ id, name: 'true', secret: null }) },
};
function backendOf(id: string) {
  return {
    id,
    name: 'true',
    cert: null,
    size: { width: 1, height: null },
    labels: [{ name: 'true', value: null }],
    peer: null,
  };
}

const forgedFields = {
  ...{ name: 'forged', cert: 'forged', secret: 'forged', note: 'note', size: { width: 666, height: 666 } },
  ...{
    labels: [1, 2, 3].map(() => ({ name: 'forged', value: 'forged' })),
    peer: { __typename: 'Backend', id: 'forged', name: 'forged' },
  },
};
const forged = (id: string, typename = 'Backend') => ({ __typename: typename, id, ...forgedFields });

/** Sets the answers of the outside subgraph. */
function lying(answer: (request: LinkRequest) => unknown) {
  return federate({ own: { sdl: ownSdl, resolvers }, outside: { sdl: outsideSdl, isOutside: true, answer } });
}

const wanted = '{ id name cert size { width height } labels { name value } peer { id name } }';
const truth = (id: string) => ({
  ...{ id, name: 'true', cert: null, size: { width: 1, height: null }, labels: [{ name: 'true', value: null }] },
  peer: null,
});
const nothing = { name: null, cert: null, size: null, labels: null, peer: null };

/** An entities answer that repeats the same entity. */
function entities({ text, variables }: LinkRequest, entity: unknown) {
  const groups = [...text.matchAll(/(?:(\w+): )?_entities\(representations: \$(\w+)/g)];
  const lists = groups.map(([, alias = '_entities', name = '']) => {
    const asked = variables[name] as readonly unknown[];
    return [alias, asked.map(() => structuredClone(entity))] as const;
  });
  return { data: Object.fromEntries(lists) };
}

describe("an object of the product's own subgraphs", () => {
  test.each(['b', 'hidden'])("below a root field of another subgraph has the product's values: %s", async (id) => {
    const gadget = { __typename: 'Gadget', id: 'g', backend: forged(id), node: forged(id), nodes: [forged(id), null] };
    const { ask } = lying(() => ({ data: { gadget, backend: forged('b'), gadgets: [gadget] } }));
    const answer = await ask(`{ gadget { backend ${wanted} node { id ... on Backend ${wanted} } } backend ${wanted} }`);
    const expected = id === 'b' ? truth('b') : { id, ...nothing };
    expect(answer.data).toEqual({ gadget: { backend: expected, node: expected }, backend: truth('b') });
    if (id === 'b') expect(answer.errors).toBeUndefined();
    else
      for (const { path, extensions } of answer.errors ?? [])
        expect([path?.slice(0, 1), extensions?.code]).toEqual([['gadget'], 'INVALID_SUBGRAPH_ANSWER']);
  });

  test.each(['b', 'hidden'])("below an entity of another subgraph has the product's values: %s", async (id) => {
    const { ask } = lying((request) =>
      entities(request, { ...forgedFields, friend: forged(id), friends: [forged(id), null] }),
    );
    const answer = await ask(
      `{ backend { name cert note size { width height } friend ${wanted} friends { name cert } } }`,
    );
    const isKnown = id === 'b';
    expect(answer.data).toEqual({
      backend: {
        ...{ name: 'true', cert: null, note: 'note', size: { width: 1, height: null } },
        friend: isKnown ? truth('b') : { id, ...nothing },
        friends: [{ name: isKnown ? 'true' : null, cert: null }, null],
      },
    });
    const { errors } = nullsAndErrors(answer);
    expect(errors.filter((path) => !path.startsWith('backend.friend'))).toEqual([]);
    expect(errors.includes('backend.friend.cert')).toBe(!isKnown);
  });

  test('keeps the key that was sent to another subgraph', async () => {
    const { ask, sent } = lying((request) => entities(request, forged('forged')));
    const answer = await ask('{ backend { id name note } backends { id name note } }');
    const values = (id: string) => ({ id, name: 'true', note: 'note' });
    expect(answer).toEqual({ data: { backend: values('b'), backends: [values('b'), values('c')] } });
    expect(JSON.stringify(sent.map(({ variables }) => variables))).not.toContain('forged');
  });

  test('has only the requested fields for objects of its type', async () => {
    const { ask } = lying(() => ({
      data: { gadget: { __typename: 'Gadget', id: 'g', node: { ...forged('hidden'), note: 'x' } } },
    }));
    const { data } = await ask(
      '{ gadget { node { id ... on Certificate { note name } ... on Backend { note name } } } }',
    );
    expect(JSON.stringify(data)).not.toContain('forged');
  });
});

describe('an error of a subgraph of another team', () => {
  const errorOf = async (extensions: object) => {
    const answer = { data: { gadget: null }, errors: [{ message: 'no', path: ['gadget'], extensions }] };
    const [error, ...others] = (await lying(() => answer).ask('{ gadget { id } backend { name } }')).errors ?? [];
    expect([error?.path, others]).toEqual([['gadget'], []]);
    return error;
  };

  test.each([
    [1e15, 60_000],
    [1_500.5, 1_501],
    [-1, undefined],
    ['soon', undefined],
    [{}, undefined],
  ])('with a requested wait of %j ms gives %j', async (retryAfterMs, expected) => {
    const error = await errorOf({ code: 'RATE_LIMITED', retryAfterMs, more: 1 });
    expect(error?.extensions).toEqual({ code: 'RATE_LIMITED', more: 1, ...(expected && { retryAfterMs: expected }) });
  });

  test.each(['UNAUTHENTICATED', 'SCHEMA_CHANGED', 'CURSOR_EXPIRED', 'NOT_PLANNED'])(
    'cannot have the code %s',
    async (code) => {
      const error = await errorOf({ code, http: { status: 401 } });
      expect(error?.extensions).toEqual({ code: 'INVALID_SUBGRAPH_ANSWER', subgraph: 'outside' });
      expect(error?.message).toContain(`Subgraph outside answered ${code}`);
    },
  );

  test.each(['FORBIDDEN', 'BUSY', 'X'])('can have the code %s', async (code) => {
    expect((await errorOf({ code }))?.extensions).toEqual({ code });
  });
});

test("an event has the product's values for one of its objects", async () => {
  const { executor } = lying(() => undefined);
  const text = `subscription { gadgetChanges { cursor gadget { title backend ${wanted} node { id ... on Backend ${wanted} } } } }`;
  const document = parse(text, { noLocation: true });
  const plan = await executor.planSubscription(text, document, {});
  const event = (id: string) => ({
    data: {
      gadgets: [{ title: 'forged' }],
      gadgetChanges: { cursor: id, gadget: { id: 'g', title: 't', backend: forged(id), node: forged(id) } },
    },
  });
  const context = { identity: null, requestId: 'r', loaders: new Map() };
  const answers = await plan.complete([event('b'), event('hidden')], { key: text, document, variables: {}, context });
  const gadgets = JSON.parse(JSON.stringify(answers.map(({ data }) => data?.gadgetChanges)));
  const unknown = { id: 'hidden', ...nothing };
  expect(gadgets).toEqual([
    { cursor: 'b', gadget: { title: 't', backend: truth('b'), node: truth('b') } },
    { cursor: 'hidden', gadget: { title: 't', backend: unknown, node: unknown } },
  ]);
  expect(answers.map(({ errors = [] }) => errors.length > 0)).toEqual([false, true]);
});

describe('an error of another subgraph', () => {
  test.each([
    ['a field of ours below its own', ['gadget', 'backend', 'cert'], 'gadget.backend'],
    ['a root field of ours', ['backend', 'cert'], '-'],
    ['an item of a list of ours', ['backends', 0, 'labels', 0, 'value'], '-'],
  ])('is not reported at %s', async (_name, path, expected) => {
    const { ask } = lying(() => ({
      data: { gadget: { __typename: 'Gadget', id: 'g', backend: forged('b') } },
      errors: [{ message: 'forged', path, extensions: { code: 'X' } }],
    }));
    const answer = await ask(`{ gadget { backend ${wanted} } backend ${wanted} backends ${wanted} }`);
    expect(answer.data).toEqual({
      ...{ gadget: { backend: truth('b') }, backend: truth('b'), backends: [truth('b'), truth('c')] },
    });
    expect(nullsAndErrors(answer).errors).toEqual([expected]);
  });
});

test('excessively nested lists are cut off before any code walks them', () => {
  const set = (parse('{ gadgets { id } }').definitions[0] as OperationDefinitionNode).selectionSet;
  const fields = new RequestedFields([set], {
    fragments: new Map(),
    types: new PossibleTypes(parse('type Query { x: Int }')),
  });
  const depth = 100_000;
  const answer = { gadgets: JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) };
  fields.all.purge(answer);
  expect(JSON.stringify(answer)).toBe(`{"gadgets":${'['.repeat(17)}null${']'.repeat(17)}}`);
});

test('a list of another length, in a value that two subgraphs share, is not read', async () => {
  const sdl = (field: string) =>
    `type Query { all: All @shareable } type All { items: [Item] @shareable } type Item { ${field}: Int }`;
  const { ask } = federate({
    a: { sdl: sdl('one'), answer: () => ({ data: { all: { items: [{ one: 1 }, { one: 2 }] } } }) },
    b: { sdl: sdl('two'), answer: () => ({ data: { all: { items: [{ two: 1 }, { two: 2 }, { two: 3 }] } } }) },
  });
  const answer = await ask('{ all { items { one two } } }');
  expect(JSON.stringify(answer.data)).toMatch(
    /^{"all":{"items":\[({"one":\d,"two":null},?|{"one":null,"two":\d},?)+\]}}$/,
  );
  for (const { extensions } of answer.errors ?? []) expect(extensions?.code).toBe('INVALID_SUBGRAPH_ANSWER');
  expect(answer.errors?.length).toBeGreaterThan(1);
});

describe('an entities answer', () => {
  test.each([
    ['another type', { __typename: 'Certificate', id: 'b', note: 'forged' }],
    ['no type of the graph', { __typename: 'None', id: 'b', note: 'forged' }],
    ['a type that is no text', { __typename: { a: 1 }, id: 'b', note: 'forged' }],
  ])('of %s is refused', async (_name, entity) => {
    const { ask } = lying((request) => entities(request, entity));
    const answer = await ask('{ backend { __typename name note } }');
    expect(answer.data).toEqual({ backend: { __typename: 'Backend', name: 'true', note: null } });
    expect(answer.errors).toMatchObject([
      { path: ['backend', 'note'], extensions: { code: 'INVALID_SUBGRAPH_ANSWER', subgraph: 'outside' } },
    ]);
  });
});
