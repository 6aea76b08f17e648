// Subgraphs whose answers do not fit the graph. Each null has an error with a client path and a code, the whole request is never refused for
// it, and other roots keep their data.
// needs: processes
import { describe, expect, test } from '@jest/globals';
import { topLevelCodes } from '../../../platform/errors/errors.ts';
import { federate, nullsAndErrors, usePlanners } from './support/federation.ts';

usePlanners();

const alphaSdl = `
  enum Color { RED GREEN SECRET @inaccessible }
  interface Shape { id: ID! }
  type Circle implements Shape { id: ID! radius: Int }
  type Square implements Shape { id: ID! side: Int }
  union Any = Circle | Square
  type Thing @key(fields: "id") {
    id: ID! int: Int float: Float text: String flag: Boolean color: Color name: String! list: [Int!] sure: [Int!]! shape: Shape any: Any
    inner: Inner grid: [[Int]]
  }
  type Inner { a: Int b: Int! }
  type Query { thing: Thing things: [Thing!] ok: Int }`;
const betaSdl = `
  type Thing @key(fields: "id") { id: ID! price: Int stock: Int! }
  type Query { other: Int }`;

/** Values for fields of a thing. */
const values: readonly (readonly [string, unknown])[] = [
  ['int', 'x'],
  ['int', '5'],
  ['int', 1.5],
  ['int', 2 ** 31],
  ['int', -(2 ** 31) - 1],
  ['int', true],
  ['int', {}],
  ['int', [1]],
  ['float', '1.5'],
  ['float', false],
  ['float', {}],
  ['text', 5],
  ['text', true],
  ['text', {}],
  ['text', ['a']],
  ['flag', 'true'],
  ['flag', 1],
  ['flag', []],
  ['color', 'BLUE'],
  ['color', 'SECRET'],
  ['color', 1],
  ['color', {}],
  ['list', {}],
  ['list', 1],
  ['list', [1, null]],
  ['list', ['x']],
  ['grid', [1]],
  ['grid', [['x']]],
  ['inner { a b }', []],
  ['inner { a b }', 'x'],
  ['inner { a b }', { a: 1 }],
  ['inner { a b }', { a: 1, b: null }],
  ['shape { __typename id }', { __typename: 'Thing', id: '1' }],
  ['shape { __typename id }', { __typename: 'None', id: '1' }],
  ['shape { __typename id }', { id: '1' }],
  ['shape { __typename id }', { __typename: 5, id: '1' }],
  ['any { ... on Circle { radius } }', { __typename: '__proto__' }],
  ['any { ... on Circle { radius } }', { __typename: 'Shape' }],
  ['name', null],
  ['name', 5],
  ['sure', null],
  ['sure', [null]],
  ['id', {}],
  ['id', undefined],
  ['text', undefined],
];

const unavailable = { message: 'away', extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'beta' } };
/** Answers to the request for two entities. The client wants their `price` and `stock`. */
const answers: readonly (readonly [string, unknown])[] = [
  ['null', { data: null }],
  ['nothing', {}],
  ['no object', 'x'],
  ['a list', []],
  ['data that is a list', { data: [] }],
  ['data that is a text', { data: 'x' }],
  ['no entities', { data: {} }],
  ['entities that are null', { data: { _entities: null } }],
  ['entities that are an object', { data: { _entities: { 0: { price: 1, stock: 1 } } } }],
  ['too few', { data: { _entities: [{ price: 1, stock: 1 }] } }],
  ['too many', { data: { _entities: [1, 2, 3].map((price) => ({ price, stock: 1 })) } }],
  ['entities that are null each', { data: { _entities: [null, null] } }],
  ['entities that are texts', { data: { _entities: ['a', 'b'] } }],
  ['entities that are lists', { data: { _entities: [[], []] } }],
  ['entities without fields', { data: { _entities: [{}, {}] } }],
  ['one entity without a field', { data: { _entities: [{ price: 1, stock: 1 }, { price: 1 }] } }],
  ['errors without a path', { data: null, errors: [unavailable] }],
  ['errors that are no list', { data: null, errors: 'x' }],
  ['errors that are no objects', { data: null, errors: [null, 5] }],
  ['an error for all entities', { data: null, errors: [{ ...unavailable, path: ['_entities'] }] }],
  [
    'an error for a field',
    {
      data: { _entities: [null, { price: 2, stock: 2 }] },
      errors: [{ ...unavailable, path: ['_entities', 0, 'stock'] }],
    },
  ],
  [
    'an error at an odd path',
    { data: { _entities: [null, null] }, errors: [{ ...unavailable, path: [{}, '_entities'] }] },
  ],
  [
    'an error at a path of prototypes',
    { data: { _entities: [null, null] }, errors: [{ ...unavailable, path: ['_entities', 0, '__proto__', 'x'] }] },
  ],
];

function expectTold(result: Awaited<ReturnType<ReturnType<typeof federate>['ask']>>): void {
  const { nulls, errors } = nullsAndErrors(result);
  for (const place of nulls)
    expect(errors.filter((path) => path === place || path.startsWith(`${place}.`))).not.toEqual([]);
  for (const { path, extensions } of result.errors ?? []) {
    expect([...Object.keys(topLevelCodes), 'INVALID_SUBGRAPH_ANSWER']).toContain(extensions?.code);
    expect(path ?? []).not.toContain('_entities');
  }
}

describe('a value', () => {
  test.each(values)('of %s that is %j', async (field, value) => {
    const name = field.split(' ')[0] as string;
    const thing = {
      __typename: 'Thing',
      id: '1',
      ...(value === undefined ? { [name]: undefined } : { [name]: value }),
    };
    const { ask } = federate({
      alpha: { sdl: alphaSdl, answer: () => ({ data: { thing, ok: 1 } }) },
      beta: { sdl: betaSdl },
    });
    const result = await ask(`{ words: thing { value: ${field} } fine: ok }`);
    expect(result.data).toMatchObject({ fine: 1 });
    expect(result.errors).not.toEqual([]);
    expect(result.errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_SUBGRAPH_ANSWER' } });
    expect(result.errors?.[0]?.path?.slice(0, 2)).toEqual(['words', 'value']);
    expectTold(result);
  });
});

describe('an entities answer', () => {
  test.each(answers)('%s', async (_name, answer) => {
    const things = ['1', '2'].map((id) => ({ __typename: 'Thing', id }));
    const { ask } = federate({
      alpha: { sdl: alphaSdl, answer: () => ({ data: { things, ok: 1 } }) },
      beta: { sdl: betaSdl, answer: ({ text }) => (text.includes('_entities') ? answer : { data: { other: 2 } }) },
    });
    const result = await ask('{ words: things { cost: price } fine: ok also: other }');
    expect(result.data).toMatchObject({ fine: 1, also: 2 });
    expectTold(result);
    const strict = await ask('{ words: things { id cost: price left: stock } fine: ok also: other }');
    expect(strict.data).toEqual({ words: null, fine: 1, also: 2 });
    expectTold(strict);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe('many errors', () => {
  const count = 5_000;
  const answerWith = (errors: readonly object[]) => {
    const things = Array.from({ length: count }, (_, id) => ({ __typename: 'Thing', id: String(id) }));
    return federate({
      alpha: { sdl: alphaSdl, answer: () => ({ data: { things } }) },
      beta: { sdl: betaSdl, answer: () => ({ data: { _entities: things.map(() => ({ price: null })) }, errors }) },
    });
  };
  const errorsAt = (length: number, place: (index: number) => number) =>
    Array.from({ length }, (_, index) => ({ ...unavailable, path: ['_entities', place(index), 'price'] }));

  test('at one place are all reported, and ten times as many cost about ten times as much at most', async () => {
    const cpuMs = async (length: number) => {
      const federation = answerWith(errorsAt(length, () => 0));
      await federation.ask('{ things { id } }');
      const before = process.cpuUsage();
      expect((await federation.ask('{ things { price } }')).errors).toHaveLength(length);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    await cpuMs(5_000);
    const [few, many] = [await cpuMs(5_000), await cpuMs(50_000)];
    expect(many / few).toBeLessThan(20);
  }, 60_000);

  test('beyond a limit become one error, and the answer is not read', async () => {
    const { data, errors } = await answerWith(errorsAt(50_001, () => 0)).ask('{ things { price } }');
    expect(data).toEqual({ things: Array.from({ length: count }, () => ({ price: null })) });
    expect(errors).toHaveLength(count);
    expect(errors?.[0]).toMatchObject({
      path: ['things', 0, 'price'],
      extensions: { code: 'INVALID_SUBGRAPH_ANSWER' },
    });
  });
});

test('an entity with an odd key is refused and not requested', async () => {
  const federation = federate({
    alpha: { sdl: alphaSdl, answer: () => ({ data: { thing: { __typename: 'Thing' }, ok: 1 } }) },
    beta: { sdl: betaSdl },
  });
  const result = await federation.ask('{ thing { price } ok }');
  expect(result.data).toEqual({ thing: { price: null }, ok: 1 });
  expect(federation.asked).toHaveLength(1);
  expectTold(result);
});

describe('an object that is unknown to its subgraph', () => {
  const { ask } = federate({
    a: {
      sdl: `
        interface Node { id: ID! }
        type Thing implements Node @key(fields: "id") { id: ID! }
        type Query { link: Node links: [Node]! thing: Thing must: Node! }`,
      resolvers: {
        Query: {
          link: () => gone,
          links: () => [gone, gone],
          thing: () => gone,
          must: () => gone,
        },
      },
    },
    b: {
      sdl: 'type Thing @key(fields: "id") { id: ID! price: Int weight: Int! parts: [Thing!] }',
      resolvers: { Thing: { __resolveReference: () => null } },
    },
  });
  const gone = { __typename: 'Thing', id: '1' };

  test.each([
    ['{ link { id ... on Thing { weight } } }', { link: null }],
    ['{ link { id ... on Thing { price } } }', { link: { id: '1', price: null } }],
    ['{ links { ... on Thing { weight } } }', { links: [null, null] }],
  ])('is no error where a nullable field links to an object of any type: %s', async (text, data) => {
    expect(await ask(text)).toEqual({ data });
  });

  test.each([
    ['{ thing { id weight } }', { thing: null }, 'thing.weight'],
    ['{ thing { id price } }', { thing: { id: '1', price: null } }, 'thing.price'],
    ['{ must { ... on Thing { weight } } }', null, 'must.weight'],
  ])('is an error elsewhere: %s', async (text, data, path) => {
    const answer = await ask(text);
    expect(answer.data).toEqual(data);
    expect(answer.errors).toMatchObject([{ path: path.split('.'), extensions: { code: 'INVALID_SUBGRAPH_ANSWER' } }]);
  });
});
