// Published operations: added by hash, once each, within bounds; removed everywhere; read by administrators, and by gateways as a set.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { PublishedOperationInput } from '../../../generated/graph/system.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { gatewayIdentity, serviceIdentity } from '../../../platform/graph/service-identity.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { makeUser, systemBench } from './support/system-bench.ts';

const bench = forFile(() => systemBench());
let admin: Identity;
let user: Identity;

beforeAll(async () => {
  const project = await bench.system.firstStart.ensureProject('alpha');
  admin = await makeUser(bench, 'admin', { admin: true });
  user = await makeUser(bench, 'alice', { projects: { [project]: 'OPERATOR' } });
});

const errors = 'userErrors { code message field retry }';
const shown = 'id version hash name operationType text createdAt updatedAt';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function add(operations: readonly PublishedOperationInput[], more: object = {}, who: Identity = admin) {
  const document = `mutation ($input: PublishedOperationAddInput!) { publishedOperationAdd(input: $input) { publishedOperations { ${shown} } ${errors} commit { token } } }`;
  const answer = await bench.ask(who, document, { input: { operations, ...more } });
  expect(answer.errors).toBeUndefined();
  return answer.data.publishedOperationAdd;
}

async function remove(id: string, who: Identity = admin) {
  const document = `mutation ($input: PublishedOperationRemoveInput!) { publishedOperationRemove(input: $input) { removedId ${errors} } }`;
  const answer = await bench.ask(who, document, { input: { id } });
  expect(answer.errors).toBeUndefined();
  return answer.data.publishedOperationRemove;
}

const setText =
  'query ($hashes: [String!]!) { publishedOperationSet { revision hashes operations(hashes: $hashes) { hash text } } }';

async function set(hashes: readonly string[] = []) {
  const { data, errors } = await bench.ask(gatewayIdentity, setText, { hashes });
  expect(errors).toBeUndefined();
  return data.publishedOperationSet as unknown as {
    revision: string;
    hashes: string[];
    operations: { hash: string; text: string }[];
  };
}

describe('adding', () => {
  const text = 'query Mine { me { ...Names } }\nfragment Names on Viewer { name }';

  test('the ID of a text is its SHA-256; adding it again gives the same object', async () => {
    const first = await add([{ text, hash: sha256(text) }]);
    expect(first.userErrors).toEqual([]);
    expect(first.publishedOperations).toMatchObject([
      { hash: sha256(text), name: 'Mine', operationType: 'QUERY', text, version: 1 },
    ]);
    const again = await add([{ text }, { text: 'mutation Out { logout { userErrors { code } } }' }, { text }]);
    expect(again.userErrors).toEqual([]);
    expect(again.publishedOperations).toMatchObject([
      { ...first.publishedOperations?.[0] },
      { name: 'Out', operationType: 'MUTATION' },
    ]);
  });

  test('each addition is an event, and the audit trail has the hashes without the texts', async () => {
    const { publishedOperations } = await add([{ text: 'query Audited { me { name } }' }]);
    await bench.sequence();
    const { data } = await bench.ask(
      admin,
      '{ statusHistory(kinds: ["publishedOperation.added"], first: 1) { nodes { subjectId to reason subject { __typename id } } } auditEntries(first: 1) { nodes { action subjectId details } } }',
    );
    const id = publishedOperations?.[0]?.id;
    expect(data.statusHistory?.nodes).toMatchObject([
      { subjectId: id, to: 'PUBLISHED', reason: 'Audited', subject: { __typename: 'PublishedOperation', id } },
    ]);
    expect(data.auditEntries?.nodes).toMatchObject([{ action: 'publishedOperationAdd', subjectId: id }]);
    const details = JSON.stringify(data.auditEntries?.nodes[0]?.details);
    expect(details).toContain(sha256('query Audited { me { name } }'));
    expect(details).not.toContain('me {');
  });

  test.each([
    ['a hash of another text', { text, hash: sha256('other') }, 'operations.0.hash', 'SHA-256 of the text is'],
    ['no GraphQL', { text: 'query Broken {' }, 'operations.0.text', 'is not a GraphQL document'],
    ['no operation', { text: 'fragment F on Viewer { name }' }, 'operations.0.text', 'has 0 operations'],
    [
      'two operations',
      { text: 'query A { me { name } } query B { me { name } }' },
      'operations.0.text',
      'has 2 operations',
    ],
    ['no name', { text: '{ me { name } }' }, 'operations.0.text', 'without a name'],
    ['a type', { text: 'query A { me { name } } type T { a: Int }' }, 'operations.0.text', 'neither an operation'],
    [
      'too long a text',
      { text: `query A { me { name } } #${'é'.repeat(33_000)}` },
      'operations.0.text',
      'at most 65536',
    ],
    ['nested too deep', { text: `query A ${'{ a '.repeat(16_000)}` }, 'operations.0.text', 'is not a GraphQL document'],
  ])('%s is refused', async (_name, operation, field, message) => {
    const before = await set();
    const { publishedOperations, userErrors } = await add([operation]);
    expect(publishedOperations).toBeNull();
    expect(userErrors).toMatchObject([{ code: 'INVALID_INPUT', field: ['input', ...field.split('.')] }]);
    expect(userErrors[0]?.message).toContain(message);
    expect(await set()).toEqual(before);
  });

  test('a key with the same input gives the first answer', async () => {
    const input = [{ text: 'query Keyed { me { name } }' }];
    const first = await add(input, { idempotencyKey: 'once' });
    expect(await add(input, { idempotencyKey: 'once' })).toMatchObject({
      publishedOperations: first.publishedOperations,
      userErrors: [],
    });
  });

  test('is for administrators', async () => {
    expect((await add([{ text }], {}, user)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });
});

describe('removing', () => {
  test('removes it from the list and the set, and a second time is NOT_FOUND', async () => {
    const text = 'query Gone { me { name } }';
    const id = (await add([{ text }])).publishedOperations?.[0]?.id ?? '';
    const before = await set([sha256(text)]);
    expect(before.operations).toEqual([{ hash: sha256(text), text }]);
    expect(await remove(id, user)).toMatchObject({ removedId: null, userErrors: [{ code: 'FORBIDDEN' }] });
    expect(await remove(id)).toEqual({ removedId: id, userErrors: [] });
    const after = await set([sha256(text)]);
    expect(after.revision).not.toBe(before.revision);
    expect(after.hashes).not.toContain(sha256(text));
    expect(after.operations).toEqual([]);
    const { data } = await bench.ask(
      admin,
      `{ node(id: "${id}") { id } publishedOperation(hash: "${sha256(text)}") { id } publishedOperations(names: ["Gone"]) { nodes { id } } }`,
    );
    expect(data).toMatchObject({ node: null, publishedOperation: null, publishedOperations: { nodes: [] } });
    expect(await remove(id)).toMatchObject({ removedId: null, userErrors: [{ code: 'NOT_FOUND' }] });
  });
});

describe('reading', () => {
  test('is for administrators; the set is only for gateways', async () => {
    for (const document of [
      '{ publishedOperations { nodes { text } } }',
      `{ publishedOperation(hash: "${'0'.repeat(64)}") { text } }`,
    ])
      expect((await bench.ask(user, document)).codes).toEqual(['FORBIDDEN']);
    const relay = serviceIdentity({ subgraph: 'relay', projectId: newUuid() });
    for (const who of [user, admin, relay])
      expect((await bench.ask(who, setText, { hashes: [] })).codes).toEqual(['FORBIDDEN']);
    expect((await bench.ask(null, setText, { hashes: [] })).codes).toEqual(['UNAUTHENTICATED']);
  });

  test('an invalid hash is INVALID_INPUT', async () => {
    expect((await bench.ask(admin, '{ publishedOperation(hash: "x") { id } }')).codes).toEqual(['INVALID_INPUT']);
  });

  test('finds by name and by a part of it', async () => {
    await add([{ text: 'query ListedOne { me { name } }' }, { text: 'query ListedTwo { me { name } }' }]);
    const { data } = await bench.ask(
      admin,
      '{ one: publishedOperations(names: ["ListedOne"]) { nodes { name } } both: publishedOperations(text: "listed") { nodes { name } totalCount } }',
    );
    expect(data).toMatchObject({
      one: { nodes: [{ name: 'ListedOne' }] },
      both: { nodes: [{ name: 'ListedOne' }, { name: 'ListedTwo' }], totalCount: 2 },
    });
  });
});

test('beyond 10,000 operations, or 8 MiB of text, none is added', async () => {
  const row = (index: number) => [newUuid(), index.toString(16).padStart(64, '0'), `Filler${index}`, 'QUERY', 'x', 838];
  for (let from = 0; from < 10_000; from += 1_000)
    await bench.db.execute(
      `INSERT INTO published_operation (id, hash, name, operation_type, text, text_bytes) VALUES ${'(?,?,?,?,?,?),'.repeat(1_000).slice(0, -1)}`,
      Array.from({ length: 1_000 }, (_item, at) => row(from + at)).flat(),
    );
  const one = [{ text: 'query OneTooMany { me { name } }' }];
  expect((await add(one)).userErrors).toMatchObject([{ code: 'LIMIT_REACHED', field: ['input', 'operations'] }]);
  await bench.db.execute('DELETE FROM published_operation WHERE name > ?', ['Filler9']);
  await bench.db.execute('UPDATE published_operation SET text_bytes = 8388608 LIMIT 1');
  const { userErrors } = await add(one);
  expect(userErrors).toMatchObject([{ code: 'LIMIT_REACHED' }]);
  expect(userErrors[0]?.message).toContain('bytes of text');
});
