// Lists of backends, calls and mappings, as a member of one project sees them: orders, cursors, counts and natural
// keys.
import { expect, test } from '@jest/globals';
import { element, NftDevice } from '../support/nft-device.ts';
import { call, identity, projectA, projectB, projectId } from '../support/relay-system.ts';
import { startRelay } from '../support/start-relay.ts';

const owner = identity('OPERATOR', projectA);
const stranger = identity('OPERATOR', projectB);
const both = { ...owner, projects: { [projectA]: 'OPERATOR', [projectB]: 'OPERATOR' } } as const;
const keys = ['10.0.0.3', '10.0.0.1', '10.0.0.2'];

let backendId: string;

const { node, device } = await startRelay({ device: () => NftDevice.start() });
backendId = await device.register(node, 'web', {});
await device.register(node, 'db', {});
for (const key of keys) {
  const cmpObject = { type: 'host', externalId: key };
  const made = await call(node, 'add', element('web', key, { cmpObject }));
  expect(made.operation?.state).toBe('SUCCEEDED');
}

interface List {
  readonly nodes: readonly Readonly<Record<string, string>>[];
  readonly totalCount: number | null;
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
}

/** The items of all pages. */
async function whole(field: string, shown: string, args: string, who = owner): Promise<readonly [string[], unknown]> {
  const seen: string[] = [];
  let after: string | null = null;
  for (let page = 0; page < 10; page += 1) {
    const text = `query ($after: String) { list: ${field}(first: 2, after: $after, ${args}) { nodes { ${shown} } totalCount pageInfo { endCursor hasNextPage } } }`;
    const { data, errors } = (await node.run(who, text, { after })) as { data: { list: List }; errors?: unknown };
    expect(errors).toEqual([]);
    seen.push(...data.list.nodes.map((each) => each[shown] ?? ''));
    if (!data.list.pageInfo.hasNextPage) return [seen, data.list.totalCount];
    after = data.list.pageInfo.endCursor;
  }
  throw new Error('the pages do not end');
}

test('mappings and calls can be listed in both time orders, with counts', async () => {
  expect(await whole('mappings', 'objectKey', 'orderBy: OLDEST')).toEqual([keys.map((key) => `blocked/${key}`), 3]);
  expect(await whole('mappings', 'objectKey', 'orderBy: NEWEST')).toEqual([
    keys.toReversed().map((key) => `blocked/${key}`),
    3,
  ]);
  const [newest, count] = await whole('relayOperations', 'id', 'orderBy: NEWEST');
  expect(await whole('relayOperations', 'id', 'orderBy: OLDEST')).toEqual([newest.toReversed(), count]);
  expect(newest).toHaveLength(Number(count));
  for (const field of ['mappings', 'relayOperations'])
    expect(await whole(field, 'id', 'orderBy: OLDEST', stranger)).toEqual([[], 0]);
});

test('backends can be listed in each order, by names and by a part of the name', async () => {
  expect(await whole('backends', 'name', 'orderBy: NAME')).toEqual([['db', 'web'], 2]);
  expect(await whole('backends', 'name', 'orderBy: NAME_DESC')).toEqual([['web', 'db'], 2]);
  expect(await whole('backends', 'name', 'orderBy: OLDEST')).toEqual([['web', 'db'], 2]);
  expect(await whole('backends', 'name', 'orderBy: NEWEST, names: ["web", "none"]')).toEqual([['web'], 1]);
  expect(await whole('backends', 'name', 'text: "E"')).toEqual([['web'], 1]);
  expect(await whole('backends', 'name', 'orderBy: NAME', stranger)).toEqual([[], 0]);
});

test('the objects of a backend are counted', async () => {
  const text = `query ($id: ID!) { backend(id: $id) { mappings(first: 1) { totalCount } operations(first: 1) { totalCount } } }`;
  const { data } = await node.run(owner, text, { id: backendId });
  expect(data).toEqual({ backend: { mappings: { totalCount: 3 }, operations: { totalCount: expect.any(Number) } } });
});

test('a cursor of another order is refused', async () => {
  for (const field of ['mappings', 'relayOperations', 'backends']) {
    const first = `{ list: ${field}(first: 1, orderBy: OLDEST) { pageInfo { endCursor } } }`;
    const { data } = (await node.run(owner, first)) as { data: { list: List } };
    const next = `query ($after: String) { list: ${field}(after: $after, orderBy: NEWEST) { nodes { id } } }`;
    const { errors } = await node.run(owner, next, { after: data.list.pageInfo.endCursor });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  }
});

test('a backend is found by its name in a project', async () => {
  const found = async (args: string, who: typeof owner | typeof both = owner) => {
    const { data, errors } = (await node.run(who, `{ backend(${args}) { id } }`)) as {
      data: { backend: { id: string } | null };
      errors?: readonly { message: string }[];
    };
    return errors?.[0]?.message ?? data.backend?.id ?? null;
  };
  expect(await found('name: "web"')).toBe(backendId);
  expect(await found(`name: "web", projectId: "${projectId(projectA)}"`, both)).toBe(backendId);
  expect(await found(`name: "web", projectId: "${projectId(projectB)}"`, both)).toBeNull();
  expect(await found('name: "web"', both)).toMatch(/^projectId: you see several projects/);
  expect(await found(`name: "web", projectId: "${projectId(projectA)}"`, stranger)).toBeNull();
  expect(await found('name: "none"')).toBeNull();
  expect(await found(`name: "web", id: "${backendId}"`)).toBe('Give exactly one of id and name.');
  expect(await found('projectId: "x"')).toBe('Give exactly one of id and name.');
});
