// Objects across subgraphs: node, entity references, CMP objects, and lists, which all have the same pages.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { makeUser, systemBench } from './support/system-bench.ts';

const bench = forFile(() => systemBench());
let admin: Identity;
let operator: Identity;
let ids: Readonly<Record<'Project' | 'User' | 'ApiToken', string>>;

beforeAll(async () => {
  const projects = [];
  for (const name of ['c', 'a', 'b']) projects.push(await bench.system.firstStart.ensureProject(name));
  const [project = ''] = projects;
  admin = await makeUser(bench, 'admin', { admin: true });
  operator = await makeUser(bench, 'operator', { projects: { [project]: 'OPERATOR' } });
  await makeUser(bench, 'mate', { projects: { [project]: 'VIEWER' } });
  const token = await bench.system.firstStart.issueToken({ projectId: project, name: 't', role: 'VIEWER' });
  ids = {
    Project: encodeId('Project', project),
    User: encodeId('User', operator.id),
    ApiToken: encodeId('ApiToken', token.id),
  };
});

const node = 'query ($id: ID!) { node(id: $id) { __typename id } }';

describe('node', () => {
  test.each(['Project', 'User', 'ApiToken'] as const)('finds a %s', async (type) => {
    const id = ids[type];
    expect((await bench.ask(operator, node, { id })).data.node).toEqual({ __typename: type, id });
    const entities = await bench.ask(
      operator,
      'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
      { r: [{ __typename: type, id }] },
    );
    expect(entities.data._entities).toEqual([{ __typename: type }]);
  });

  test.each(['Backend', 'RelayOperation', 'Mapping'])('returns a stub of a %s, for its own subgraph', async (type) => {
    const id = encodeId(type, newUuid());
    expect((await bench.ask(operator, node, { id })).data.node).toEqual({ __typename: type, id });
  });

  test('returns a stub of a container, whose key is its project and its name', async () => {
    const id = encodeId('ObjectContainer', `${encodeId('Project', newUuid())}/photos`);
    const found = { __typename: 'ObjectContainer', id };
    expect((await bench.ask(operator, node, { id })).data.node).toEqual(found);
  });

  test.each([
    ['no id', 'nonsense'],
    ['an empty text', ''],
    ['a type that is not a node', encodeId('CmpObject', '["default","tenant","42"]')],
    ['an unknown type', encodeId('Query', newUuid())],
    ['a key that is not a UUID', encodeId('Backend', "1' OR '1'='1")],
    ['a long text', 'x'.repeat(5_000)],
    ['an unknown project', encodeId('Project', newUuid())],
  ])('is null for %s', async (_, id) => {
    expect(await bench.ask(admin, node, { id })).toMatchObject({ data: { node: null }, codes: [] });
  });
});

describe('a CMP object', () => {
  test('has one ID, which every subgraph can resolve', async () => {
    const document = '{ cmpObject(type: "tenant", externalId: "42") { id namespace type externalId } }';
    const { cmpObject } = (await bench.ask(operator, document)).data;
    expect(cmpObject).toMatchObject({ namespace: 'default', type: 'tenant', externalId: '42' });
    const entity =
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on CmpObject { id namespace type externalId } } }';
    const read = async (id: string) =>
      (await bench.ask(operator, entity, { r: [{ __typename: 'CmpObject', id }] })).data._entities;
    expect(await read(cmpObject?.id ?? '')).toEqual([cmpObject]);
    expect(await read(ids.Project)).toEqual([null]);
  });

  test.each([
    ['namespace', { namespace: 'with space', type: 'tenant', externalId: '42' }],
    ['type', { namespace: 'default', type: 'x'.repeat(64), externalId: '42' }],
    ['externalId', { namespace: 'default', type: 'tenant', externalId: '4\u00002' }],
    ['externalId', { namespace: 'default', type: 'tenant', externalId: '' }],
  ])('with a bad %s is INVALID_INPUT, with its name', async (field, variables) => {
    const document =
      'query ($namespace: String, $type: String!, $externalId: String!) { cmpObject(namespace: $namespace, type: $type, externalId: $externalId) { id } }';
    const { errors } = await bench.ask(operator, document, variables);
    expect(errors).toMatchObject([
      { extensions: { code: 'INVALID_INPUT', field: [field] }, message: expect.stringContaining(field) },
    ]);
  });
});

describe('lists', () => {
  test('processes are listed by name, with what each has registered', async () => {
    await bench.db.execute(
      `INSERT INTO process_keys (owner, name, \`keys\`, at, version, commit_hash, roles, host, newest_migration) VALUES
        (UUID(), 'b', '{}', NOW(3) - INTERVAL 1 SECOND, '0.3.0', 'abc', 'system,worker', 'host-1', '20270105000000_x'),
        (UUID(), 'a', '{}', NOW(3) - INTERVAL 62 SECOND, NULL, NULL, NULL, NULL, NULL)`,
    );
    const document = `query ($after: String) { processes(first: 1, after: $after) {
      nodes { name programVersion commitHash roles hostName newestMigration live } pageInfo { hasNextPage endCursor } totalCount } }`;
    const { nodes, pageInfo, totalCount } = (await bench.ask(admin, document)).data.processes;
    const none = { programVersion: null, commitHash: null, hostName: null, newestMigration: null };
    expect({ nodes, totalCount }).toEqual({ nodes: [{ ...none, name: 'a', roles: [], live: false }], totalCount: 2 });
    const last = (await bench.ask(admin, document, { after: pageInfo.endCursor })).data.processes;
    expect(last.nodes).toEqual([
      {
        ...{ name: 'b', programVersion: '0.3.0', commitHash: 'abc', roles: ['system', 'worker'], live: true },
        ...{ hostName: 'host-1', newestMigration: '20270105000000_x' },
      },
    ]);
    expect([pageInfo.hasNextPage, last.pageInfo.hasNextPage]).toEqual([true, false]);
    const named =
      'query ($names: [String!], $orderBy: NamedOrder) { processes(names: $names, orderBy: $orderBy) { nodes { name } } }';
    const namesIn = async (variables: object) =>
      (await bench.ask(admin, named, variables)).data.processes.nodes.map(({ name }) => name);
    await bench.db.execute("UPDATE process_keys SET started_at = NOW(3) - INTERVAL 1 HOUR WHERE name = 'b'");
    expect(await namesIn({ names: ['b', 'c'] })).toEqual(['b']);
    expect(await namesIn({ orderBy: 'OLDEST' })).toEqual(['b', 'a']);
    expect(await namesIn({ orderBy: 'NAME_DESC' })).toEqual(['b', 'a']);
    expect(await namesIn({ orderBy: 'NEWEST' })).toEqual(['a', 'b']);
  });

  test.each([
    ['projects', 'projects(first: $first, after: $after)', 'name'],
    ['users', 'users(first: $first, after: $after)', 'name'],
    ['members', 'project(id: $id) { members(first: $first, after: $after)', 'user { name }'],
  ])('%s are listed in order, page by page, each once', async (_, field, selection) => {
    const close = field.includes('project(') ? '}' : '';
    const document = `query ($first: Int, $after: String${close && ', $id: ID!'}) { ${field} { nodes { ${selection} } pageInfo { hasNextPage endCursor } } ${close} }`;
    const ask = async (first: number, after: string | null = null) => {
      const { data } = await bench.ask(admin, document, { first, after, id: ids.Project });
      return data.project?.members ?? data.projects ?? data.users;
    };
    const whole = await ask(100);
    const seen: unknown[] = [];
    let after: string | null = null;
    for (let pages = 0; pages < 10; pages += 1) {
      const part: typeof whole = await ask(1, after);
      seen.push(...part.nodes);
      after = part.pageInfo.endCursor ?? null;
      if (!part.pageInfo.hasNextPage) break;
    }
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual(whole.nodes);
  });

  test('me shows the caller with roles; an administrator has all projects', async () => {
    const document = '{ me { name admin projects { role project { name } } } }';
    const roles = '{ projects { nodes { name viewerRole } } }';
    expect((await bench.ask(operator, roles)).data.projects?.nodes).toEqual([{ name: 'c', viewerRole: 'OPERATOR' }]);
    for (const { viewerRole } of (await bench.ask(admin, roles)).data.projects?.nodes ?? [])
      expect(viewerRole).toBe('OPERATOR');
    const single = '{ haStatus { epoch } haStatusReason }';
    expect((await bench.ask(admin, single)).data).toEqual({
      haStatus: null,
      haStatusReason: expect.stringContaining('single machine'),
    });
    expect((await bench.ask(operator, document)).data.me).toEqual({
      name: 'operator',
      admin: false,
      projects: [{ role: 'OPERATOR', project: { name: 'c' } }],
    });
    expect((await bench.ask(admin, document)).data.me).toEqual({
      name: 'admin',
      admin: true,
      projects: ['a', 'b', 'c'].map((name) => ({ role: 'OPERATOR', project: { name } })),
    });
  });
});

test('commit reports an invalid token, health shows the parts', async () => {
  const document =
    'query ($token: String!) { commit(token: $token) { replication { state } } health { name ready detail } }';
  expect((await bench.ask(operator, document, { token: 'nonsense' })).data).toEqual({
    commit: { replication: { state: 'UNKNOWN' } },
    health: [{ name: 'database', ready: true, detail: null }],
  });
  expect((await bench.ask(operator, document, { token: 'x'.repeat(513) })).data.commit).toBeNull();
});
