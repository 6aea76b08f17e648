// A list with all of its links makes as many statements for many rows as for few.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SqlValue } from '../../../platform/database/database.ts';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { statementsOf } from '../../support/stores/count-statements.ts';
import { identity, projectA, projectB, type RelayNode, RelaySystem, registerBackend } from './support/relay-system.ts';

const [few, many] = [4, 40];
/** Answers may join or split their batches, depending on whether they arrive at the same time. */
const split = 2;
const rowsOfEach = 3;
const states = ['ACTIVE', 'ORPHAN', 'DELETED'] as const;
let system: RelaySystem;
let node: RelayNode;

beforeAll(async () => {
  system = await RelaySystem.start();
  node = await system.node();
  for (let count = 0; count < many; count += 1) {
    const credentials = { username: 'netops', password: 'secret' };
    const labels = [{ name: 'rack', value: `r${count}` }];
    await registerBackend(node, { name: `fw${count}`, host: `192.0.2.${count + 1}`, credentials, labels });
  }
  const backends = await node.db.query<{ id: string }>('SELECT id FROM backend ORDER BY id');
  for (const [at, { id }] of backends.entries())
    for (let row = 0; row < rowsOfEach; row += 1) await addRows(id, at, row);
  // The newest calls for the same CMP objects belong to another project.
  await addCall(newUuid(), projectB, backends[0]?.id ?? '', 0);
}, 120_000);
afterAll(() =>
  system.stop({
    except: [
      'the owner slot of a mapping is as its state and sharing say',
      'an operation is as its last event says',
      'a mapping is as its last event says',
    ],
  }),
);

/** Adds a call with its evidence, and the mapping that it made. */
async function addRows(backendId: string, at: number, row: number): Promise<void> {
  const operationId = newUuid();
  await addCall(operationId, projectA, backendId, at);
  await node.db.execute(
    `INSERT INTO operation_evidence (operation_id, source, finding, at) VALUES (?, 'reply', 'APPLIED', NOW(3))`,
    [operationId],
  );
  const key = `blocked/192.0.2.${row}`;
  const values: SqlValue[] = [newUuid(), projectA, String(at), backendId, key, `${at}-${row}`, states[row] ?? 'ACTIVE'];
  await node.db.execute(
    `INSERT INTO mapping (id, project_id, namespace, cmp_type, cmp_id, backend_id, resource, scope, object_key, object_hash, state, desired,
      operation_id, last_operation_id)
    VALUES (?, ?, 'default', 'tenant', ?, ?, 'address-set-element', 'inet filter', ?, ?, ?, '{}', ?, ?)`,
    [...values, operationId, operationId],
  );
}

async function addCall(id: string, projectId: string, backendId: string, at: number): Promise<void> {
  await node.db.execute(
    `INSERT INTO operation (id, project_id, backend_id, name, effect, state, cmp_namespace, cmp_type, cmp_id, resource, scope, object_key,
      object_hash, arguments, call_deadline_ms, timeline, requested_by, settled_by, settler_kind, settler_id, settler_name)
    VALUES (?, ?, ?, 'address-set-element.add', 'IDEMPOTENT', 'SUCCEEDED', 'default', 'tenant', ?, 'address-set-element', 'inet filter', 'k',
      'h', '{}', 1000, 1, 'ann', 'person', 'user', ?, 'ann')`,
    [id, projectId, backendId, String(at), newUuid()],
  );
}

const mapping = `id backend { name labels { name } } cmpObject { id } object { __typename } wantedSettings { name }
  lastVerification { result } operation { id evidence { finding } } project { id }`;
const operation = `id backend { name driver { name } } cmpObject { id } evidence { finding } settledBy { name } requestedBy { name }
  changedMappings { id backend { name } operation { id } } project { id }`;
const page = 'totalCount pageInfo { hasNextPage endCursor }';
const lists: Readonly<Record<string, string>> = {
  backends: `id labels { name } driver { name } driverOperations { name } credentialFields replayUncertain queue { waiting inFlight }
    project { id } mappings(first: 2) { ${page} nodes { ${mapping} } } operations(first: 2) { ${page} nodes { ${operation} } }`,
  mappings: mapping,
  relayOperations: operation,
};

function withoutCursors(found: unknown): unknown {
  return JSON.parse(JSON.stringify(found, (key, value: unknown) => (key === 'endCursor' ? undefined : value)));
}

async function ask<Data>(text: string, variables: Record<string, unknown>, who = identity('ADMIN')) {
  const [statements, { data, errors }] = await statementsOf(() => node.run<Data>(who, text, variables));
  expect(errors).toEqual([]);
  return { statements, data };
}

describe.each(Object.entries(lists))('%s', (list, fields) => {
  test.each(['ADMIN', 'OPERATOR'] as const)('as %s', async (role) => {
    const cost = async (first: number) => {
      const text = `query ($first: Int!) { ${list}(first: $first) { totalCount nodes { ${fields} } } }`;
      const { statements, data } = await ask<Record<string, { nodes: unknown[] }>>(text, { first }, identity(role));
      expect(data[list]?.nodes).toHaveLength(first);
      return statements;
    };
    const [ofFew, ofMany] = [await cost(few), await cost(many)];
    expect(ofFew.length).toBeGreaterThan(2);
    expect(ofMany.length).toBeLessThanOrEqual(ofFew.length + split);
    expect(ofMany.length).toBeLessThanOrEqual(25);
  });
});

describe('pages below parents', () => {
  const cmpObjects = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      __typename: 'CmpObject',
      id: encodeCmpObject({ namespace: 'default', type: 'tenant', externalId: String(at) }),
    }));
  interface Page {
    readonly nodes: readonly { readonly id: string }[];
    readonly totalCount: number;
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  }
  type Found = Readonly<Record<string, Page>>;
  const document = `query ($some: [_Any!]!, $after: String, $calls: String) { _entities(representations: $some) { ... on CmpObject {
    mappings(first: 2, after: $after) { ${page} nodes { id } }
    live: mappings(first: 2, mappingStates: [ORPHAN]) { ${page} nodes { id mappingState } }
    relayOperations(first: 2, after: $calls) { ${page} nodes { id } } } } }`;

  test.each(['ADMIN', 'OPERATOR'] as const)('CMP objects, as %s', async (role) => {
    const cost = async (count: number) =>
      ask<{ _entities: Found[] }>(document, { some: cmpObjects(count) }, identity(role));
    const [ofFew, ofMany] = [await cost(few), await cost(many)];
    expect(ofMany.statements.length).toBeLessThanOrEqual(ofFew.statements.length + split);
    expect(ofMany.data._entities).toHaveLength(many);
    // Each parent has the same page as alone, and the same next page.
    for (const [at, found] of ofMany.data._entities.entries()) {
      if (at % 13 !== 0) continue;
      const isBoth = at === 0 && role === 'ADMIN';
      expect(found.mappings).toMatchObject({ totalCount: rowsOfEach, pageInfo: { hasNextPage: true } });
      expect(found.live).toMatchObject({ totalCount: 1, nodes: [{ mappingState: 'ORPHAN' }] });
      expect(found.relayOperations?.totalCount).toBe(rowsOfEach + (isBoth ? 1 : 0));
      const some = cmpObjects(at + 1).slice(at);
      const alone = (await ask<{ _entities: Found[] }>(document, { some }, identity(role))).data._entities[0];
      // Cursors are sealed with a new nonce each time.
      expect(withoutCursors(alone)).toEqual(withoutCursors(found));
      const next = {
        ...{ some, after: found.mappings?.pageInfo.endCursor, calls: found.relayOperations?.pageInfo.endCursor },
      };
      const rest = (await ask<{ _entities: Found[] }>(document, next, identity(role))).data._entities[0];
      const ids = (of: Found | undefined, field: string) => of?.[field]?.nodes.map(({ id }) => id) ?? [];
      for (const field of ['mappings', 'relayOperations']) {
        const all = [...ids(found, field), ...ids(rest, field)];
        expect(new Set(all).size).toBe(found[field]?.totalCount);
      }
    }
  });

  test('backends are listed newest first, by state and after a cursor, without those that the caller may not see', async () => {
    const text = `query ($states: [MappingState!], $after: String) { backends(first: ${many}, orderBy: NAME) { nodes {
      mappings(first: 1, mappingStates: $states, after: $after) { ${page} nodes { id mappingState } }
      operations(first: 2, states: [SUCCEEDED, FAILED]) { ${page} nodes { id } }
      none: operations(states: [CANCELLED]) { ${page} nodes { id } } } } }`;
    type Backends = { backends: { nodes: Found[] } };
    const { data } = await ask<Backends>(text, { states: ['ACTIVE', 'DELETED'] });
    for (const { mappings, operations, none } of data.backends.nodes) {
      expect(mappings).toMatchObject({ totalCount: 2, nodes: [{ mappingState: 'DELETED' }] });
      expect(operations?.nodes).toHaveLength(2);
      expect(none).toMatchObject({ totalCount: 0, nodes: [], pageInfo: { hasNextPage: false } });
    }
    const { endCursor } = data.backends.nodes[0]?.mappings?.pageInfo ?? {};
    const after = await ask<Backends>(text, { states: ['ACTIVE', 'DELETED'], after: endCursor });
    expect(after.data.backends.nodes[0]?.mappings?.nodes).toMatchObject([{ mappingState: 'ACTIVE' }]);
    const stranger = identity('OPERATOR', projectB);
    expect((await ask<Backends>(text, {}, stranger)).data.backends.nodes).toEqual([]);
    const { data: hidden } = await ask<{ _entities: Found[] }>(document, { some: cmpObjects(2) }, stranger);
    expect(
      hidden._entities.map(({ mappings, relayOperations }) => [mappings?.totalCount, relayOperations?.totalCount]),
    ).toEqual([
      [0, 1],
      [0, 0],
    ]);
  });

  test('a cursor of another list is refused', async () => {
    const text = `{ backends(first: 1) { nodes { operations(after: "[\\"x\\",\\"y\\"]") { nodes { id } } } } }`;
    const { errors } = await node.run(identity('ADMIN'), text);
    expect(errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT' });
  });
});
