// Every list of named objects has the same orders, filters, cursors and counts. A list of the SDL without a row fails.
import { expect, test } from '@jest/globals';
import { buildASTSchema, type GraphQLNamedType, getNamedType, isEnumType, parse } from 'graphql';
import { readSubgraphSdl } from '../../../platform/graph/sdl.ts';
import { rowsOf } from '../../support/jest/text-rows.ts';

interface Page {
  readonly nodes: readonly { readonly name: string }[];
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

/** Throws on errors. */
type Ask = (who: string, text: string) => Promise<object>;

/** `rows`: `list | caller | names in creation order | the field with the name`. */
export function orders(subgraph: string, ask: Ask, rows: string): void {
  const schema = buildASTSchema(parse(readSubgraphSdl(subgraph)), { assumeValid: true, assumeValidSDL: true });
  const lists = rowsOf(rows);

  const ownOrder = (list: string) =>
    schema
      .getQueryType()
      ?.getFields()
      [list]?.args.find((each) => each.name === 'orderBy')?.defaultValue;

  test('every list of named objects has a row', () => {
    const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
    const named = fields.filter(({ args }) =>
      args.some(({ name, type }) => name === 'orderBy' && isOrderOfNames(getNamedType(type))),
    );
    expect([...new Set(lists.map(([list]) => list))].sort()).toEqual(named.map(({ name }) => name).sort());
  });

  test.each(lists)('%s: orders, names, text, pages and counts', async (list, who = '', cell = '', name = 'name') => {
    const made = cell.split(' ').filter((each) => each !== '');
    const byName = made.toSorted();
    const read = async (args: string) => {
      const text = `{ list: ${list}(${args}) { nodes { name: ${name} } totalCount pageInfo { hasNextPage endCursor } } }`;
      return ((await ask(who, text)) as { readonly list: Page }).list;
    };
    const names = async (args: string) => {
      const { nodes, totalCount } = await read(args);
      return [nodes.map((node) => node.name), totalCount];
    };
    const expected = { OLDEST: made, NEWEST: made.toReversed(), NAME: byName, NAME_DESC: byName.toReversed() };
    expect(await names('first: 20')).toEqual([expected[ownOrder(list) as keyof typeof expected], made.length]);
    for (const [order, found] of Object.entries(expected))
      expect([order, ...(await names(`orderBy: ${order}`))]).toEqual([order, found, made.length]);
    expect(await names('names: []')).toEqual([[], 0]);
    const [first] = byName;
    if (first === undefined) return;
    const some = made.filter((each) => each === first);
    expect(await names(`names: ["${first}", "none"]`)).toEqual([some, some.length]);
    const part = first.slice(-2);
    const matching = made.filter((each) => each.toLowerCase().includes(part.toLowerCase()));
    expect(await names(`orderBy: OLDEST, text: "${part.toUpperCase()}"`)).toEqual([matching, matching.length]);
    const page = await read('orderBy: NAME, first: 1');
    expect(page).toMatchObject({
      nodes: [{ name: first }],
      totalCount: made.length,
      pageInfo: { hasNextPage: made.length > 1 },
    });
    const after = `after: ${JSON.stringify(page.pageInfo.endCursor)}`;
    expect(await names(`orderBy: NAME, ${after}`)).toEqual([byName.slice(1), made.length]);
    await expect(read(`orderBy: NAME_DESC, ${after}`)).rejects.toThrow(/after: .*another order; omit it/);
    await expect(read(`orderBy: NEWEST, ${after}`)).rejects.toThrow(
      'after: this is not an endCursor of this connection',
    );
    const newest = JSON.stringify((await read('orderBy: NEWEST, first: 1')).pageInfo.endCursor);
    await expect(read(`orderBy: OLDEST, after: ${newest}`)).rejects.toThrow(/after: .*another order; omit it/);
  });
}

const isOrderOfNames = (type: GraphQLNamedType) => isEnumType(type) && type.getValue('NAME') !== undefined;
