// A plan that does not fetch everything that the operation requests is not used.
import { describe, expect, test } from '@jest/globals';
import type { FetchNode, PathSegment, PlanNode, RequiredSelection } from '../../../gateway/execution/planner.ts';
import { UnaskedFields } from '../../../gateway/execution/unasked-fields.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { head } from './support/federation.ts';

const unasked = new UnaskedFields(
  composeSupergraph(
    new Map([
      [
        'films',
        `${head}type Query { media: [Media] film: Film any: Any other: Int }
        type Mutation { rename: Film }
        interface Media @key(fields: "id") { id: ID! title: String }
        union Any = Film | Book
        type Film implements Media @key(fields: "id") { id: ID! title: String size: Size author: Author }
        type Song implements Media @key(fields: "id") { id: ID! title: String }
        type Book @key(fields: "isbn") { isbn: ID! author: Author }
        type Author @key(fields: "name") { name: String }
        type Size @shareable { width: Int height: Int }`,
      ],
      [
        'stars',
        `${head}type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int critic: Critic } type Critic { name: String }`,
      ],
      ['pages', `${head}type Book @key(fields: "isbn") @key(fields: "code") { isbn: ID! code: ID! pages: Int }`],
      ['prints', `${head}type Book @key(fields: "code") { code: ID! prints: Int }`],
    ]),
  ),
);

const root = (operation: string, serviceName = 'films'): FetchNode => ({ kind: 'Fetch', serviceName, operation });
const required = (typeCondition: string, ...names: readonly string[]): RequiredSelection => ({
  ...{ kind: 'InlineFragment', typeCondition },
  selections: ['__typename', ...names].map((name) => ({ kind: 'Field', name })),
});
const entities = (
  path: readonly PathSegment[],
  serviceName: string,
  requires: readonly RequiredSelection[],
  selection: string,
  more: Partial<FetchNode> = {},
): PlanNode => ({
  ...{ kind: 'Flatten', path },
  node: {
    ...{ kind: 'Fetch', serviceName, requires, ...more },
    operation: `query($representations:[_Any!]!){_entities(representations:$representations){${selection}}}`,
  },
});
const inTurn = (...nodes: readonly PlanNode[]): PlanNode => ({ kind: 'Sequence', nodes });
const [media, any, book]: readonly (readonly PathSegment[])[] = [
  [{ Field: 'media' }, '@'],
  [{ Field: 'any' }],
  [{ Field: 'any' }, { TypeCondition: ['Book'] }],
];
const starsOf = (type: string, path = media ?? []) =>
  entities(path, 'stars', [required(type, 'id')], '...on Media{stars critic{name}}');

const wholePlans: readonly (readonly [string, string, PlanNode])[] = [
  ['one request', '{film{title size{width}}}', root('{film{title size{width}}}')],
  ['fields of an interface', '{media{...on Film{title} ...on Song{id}}}', root('{media{title id}}')],
  ['a fragment', '{film{title}}', root('query{film{...f}} fragment f on Film{title}')],
  ['a mutation', 'mutation{rename{title}}', root('mutation{rename{title}}')],
  ['a subscription', '{film{id}}', { kind: 'Subscription', primary: root('{film{id}}') }],
  [
    'the objects of an interface in another subgraph',
    '{media{stars critic{name}}}',
    inTurn(root('{media{__typename id}}'), starsOf('Media')),
  ],
  [
    'in two requests by type',
    '{media{stars}}',
    inTurn(root('{media{__typename id}}'), starsOf('Film'), starsOf('Song')),
  ],
  [
    'with a condition in the path',
    '{media{...on Film{stars}}}',
    inTurn(root('{media{__typename id}}'), starsOf('Film', [...(media ?? []), { TypeCondition: ['Film'] }])),
  ],
  [
    'a key that a request before brought',
    '{any{...on Book{prints}}}',
    inTurn(
      root('{any{__typename ...on Book{isbn}}}'),
      entities(any ?? [], 'pages', [required('Book', 'isbn')], '...on Book{code}'),
      entities(book ?? [], 'prints', [required('Book', 'code')], '...on Book{prints}'),
    ),
  ],
  [
    'under a name that comes back',
    '{any{...on Book{pages}}}',
    inTurn(
      root('{any{__typename ...on Book{isbn}}}'),
      entities(any ?? [], 'pages', [required('Book', 'isbn')], '...on Book{own:pages}', {
        outputRewrites: [
          { KeyRenamer: { path: [{ TypenameEquals: ['Book'] }, { Key: 'own' }], renameKeyTo: 'pages' } },
        ],
      }),
    ),
  ],
];

test.each(wholePlans)('%s', (_what, text, plan) => {
  expect(unasked.leftOutOf(plan, text)).toBeUndefined();
});

test.each<readonly [string, string, PlanNode, string]>([
  ['a field of the root', '{other film{id}}', root('{film{id}}'), 'Query.other'],
  ['below a field', '{film{size{width height}}}', root('{film{size{width}}}'), 'Size.height'],
  ['of one type', '{media{title}}', root('{media{__typename ...on Film{title}}}'), 'Song.title'],
  [
    'the condition of one request for the fields of two',
    '{media{stars}}',
    inTurn(root('{media{__typename id}}'), starsOf('Film')),
    'Song.stars',
  ],
  [
    'a condition in the path',
    '{media{stars}}',
    inTurn(root('{media{__typename id}}'), starsOf('Media', [...(media ?? []), { TypeCondition: ['Song'] }])),
    'Film.stars',
  ],
  [
    'the key of one type',
    '{media{stars}}',
    inTurn(root('{media{__typename ...on Song{id}}}'), starsOf('Media')),
    'Film.stars',
  ],
  [
    'a key that only its own answer has',
    '{any{...on Book{prints pages}}}',
    inTurn(
      root('{any{__typename ...on Book{isbn}}}'),
      {
        ...{ kind: 'BatchFetch', serviceName: 'pages', variableUsages: [] },
        operation: `query($a:[_Any!]!,$b:[_Any!]!){_e0:_entities(representations:$a){...on Book{code}}
          _e1:_entities(representations:$b){...on Book{pages}}}`,
        entityBatch: {
          aliases: [
            {
              alias: '_e0',
              representationsVariableName: 'a',
              paths: [any ?? []],
              requires: [required('Book', 'isbn')],
            },
            {
              alias: '_e1',
              representationsVariableName: 'b',
              paths: [any ?? []],
              requires: [required('Book', 'code')],
            },
          ],
        },
      },
      entities(book ?? [], 'prints', [required('Book', 'code')], '...on Book{prints}'),
    ),
    'Book.pages',
  ],
  ['under a name that does not come back', '{film{title}}', root('{film{own:title}}'), 'Film.title'],
  [
    'what a rename takes away',
    '{film{title}}',
    {
      ...root('{film{title}}'),
      outputRewrites: [{ KeyRenamer: { path: [{ Key: 'film' }, { Key: 'title' }], renameKeyTo: 'own' } }],
    },
    'Film.title',
  ],
])('%s is found', (_what, text, plan, field) => {
  expect(unasked.leftOutOf(plan, text)).toBe(field);
});

describe('by the complete plans above', () => {
  // Each request and each field of each plan is needed, so a plan without one of them is detected.
  test.each(wholePlans.filter(([, , plan]) => plan.kind === 'Sequence'))(
    '%s: without its last request',
    (_what, text, plan) => {
      const nodes = plan.kind === 'Sequence' ? plan.nodes.slice(0, -1) : [];
      expect(unasked.leftOutOf(inTurn(...nodes), text)).toEqual(expect.any(String));
    },
  );
});

test('a plan with very many steps is not followed to its end', () => {
  const all = (count: number) => Array.from({ length: count }, (_, at) => `_${at}:title`).join(' ');
  const ofLength = (count: number) => unasked.leftOutOf(root(`{media{${all(count)}}}`), `{media{${all(count)} stars}}`);
  expect(ofLength(100)).toBe('Film.stars');
  expect(ofLength(60_000)).toBeUndefined();
});
