// `tidegate published`, against a server with the real schema: files in each form, matching hashes, and schemas that break operations.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { apiSchemaPath } from '../../../platform/graph/generated-schema.ts';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

interface Operation {
  readonly text: string;
  readonly hash: string;
}

let server: GraphServer;
let folder: string;
let sent: (readonly Operation[])[] = [];
let removed: string[] = [];

const digest = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');
const sha256 = (text: string) => digest('sha256', text);
const published = (text: string) => ({
  ...{ __typename: 'PublishedOperation', id: `P-${sha256(text)}`, hash: sha256(text), text, version: 1 },
  ...{ name: /(?:query|mutation) (\w+)/.exec(text)?.[1] ?? '', operationType: 'QUERY' },
  ...{ createdAt: '2026-01-31T12:00:00.000Z', updatedAt: '2026-01-31T12:00:00.000Z' },
});
const mine = 'query Mine { me { name } }';
const health = 'query Health { health { name ready } }';
const stored = [published(mine), published(health)];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-published-'));
  server = await GraphServer.start();
  server.answers = {
    publishedOperations: (args: { first: number; after: string | null }) => pageOf(stored, args),
    publishedOperation: ({ hash }: { hash: string }) => stored.find((each) => each.hash === hash) ?? null,
    publishedOperationAdd: ({ input }: { input: { operations: readonly Operation[] } }) => {
      sent.push(input.operations);
      const publishedOperations = input.operations.map(({ text }) => published(text));
      return { publishedOperations, userErrors: [], commit: null };
    },
    publishedOperationRemove: ({ input }: { input: { id: string } }) => {
      removed.push(input.id);
      return { removedId: input.id, userErrors: [], commit: null };
    },
  };
});
beforeEach(() => {
  sent = [];
  removed = [];
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) =>
  runCommand(['published', ...args, '--url', server.url], { env: { TIDEGATE_TOKEN: goodToken } });

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const manifest = (operations: readonly object[]) => ({
  ...{ format: 'apollo-persisted-query-manifest', version: 1, operations },
});

test('add accepts GraphQL, hashes with texts, and an Apollo manifest; each operation once', async () => {
  const one = await file('one.graphql', `# mine\n${mine}\n`);
  const two = await file(
    'two.graphql',
    'query A { me { ...N } } query B { me { ...M } } fragment N on Viewer { name } fragment M on Viewer { admin ...N } ',
  );
  const texts = await file('texts.json', { [sha256(mine)]: mine, [`sha256:${sha256(health)}`]: health });
  const apollo = await file('apollo.json', manifest([{ id: sha256(mine), name: 'Mine', type: 'query', body: mine }]));
  const { exitCode, stdout } = await run('add', one, two, texts, apollo);
  expect(exitCode).toBe(0);
  const operations = sent.flat();
  expect(operations.map(({ text }) => text)).toEqual([
    `# mine\n${mine}\n`,
    'query A {\n  me {\n    ...N\n  }\n}\n\nfragment N on Viewer {\n  name\n}',
    'query B {\n  me {\n    ...M\n  }\n}\n\nfragment M on Viewer {\n  admin\n  ...N\n}\n\nfragment N on Viewer {\n  name\n}',
    ...[mine, health],
  ]);
  for (const { text, hash } of operations) expect(hash).toBe(sha256(text));
  expect(stdout).toContain(sha256(health));
});

test('add sends at most 100 operations, in bodies that the gateway accepts', async () => {
  const many = Object.fromEntries(
    Array.from(
      { length: 250 },
      (_item, index) => `query Q${index} { me { name } } # ${'x'.repeat(index < 5 ? 60_000 : 0)}`,
    ).map((text) => [sha256(text), text]),
  );
  expect((await run('add', await file('many.json', many))).exitCode).toBe(0);
  expect(sent.flat()).toHaveLength(250);
  for (const batch of sent) {
    expect(batch.length).toBeLessThanOrEqual(100);
    expect(JSON.stringify(batch).length).toBeLessThan(200_000);
  }
});

test.each([
  ['md5.json', { [digest('md5', mine)]: mine }, 'is the MD5 of its text; only SHA-256 is taken'],
  ['sha1.json', { [digest('sha1', mine)]: mine }, 'is the SHA1 of its text; only SHA-256 is taken'],
  ['stale.json', { [sha256('old')]: mine }, 'is not the SHA-256 of its text'],
  ['list.json', [mine], 'give an object of hashes and texts'],
  ['version.json', { ...manifest([]), version: 2 }, 'version 1'],
  [
    'stale-apollo.json',
    manifest([{ id: sha256('old'), name: 'Mine', type: 'query', body: mine }]),
    'is not the SHA-256',
  ],
  ['fragment.graphql', 'fragment N on Viewer { name }', 'there is no operation in it'],
  ['missing.graphql', 'query A { me { ...N } } query B { me { name } }', 'the fragment N is not in the file'],
  ['broken.graphql', 'query {', 'Syntax Error'],
])('add refuses %s, and sends nothing of any file', async (name, content, message) => {
  const { exitCode, stderr } = await run('add', await file('good.graphql', mine), await file(name, content));
  expect(exitCode).toBe(1);
  expect(stderr).toContain(join(folder, name));
  expect(stderr).toContain(message);
  expect(sent).toEqual([]);
});

test('list prints names and hashes; remove takes a hash', async () => {
  const { stdout } = await run('list');
  expect(stdout).toContain('Mine');
  expect(stdout).toContain(sha256(mine));
  expect(await run('remove', sha256(mine))).toMatchObject({ exitCode: 0, stdout: 'Mine is removed\n' });
  expect(removed).toEqual([`P-${sha256(mine)}`]);
  const unknown = await run('remove', sha256('unknown'));
  expect(unknown).toMatchObject({ exitCode: 1 });
  expect(unknown.stderr).toContain('no published operation has the hash');
  expect(await run('remove', 'Mine')).toMatchObject({ exitCode: 64 });
});

test('check lists what a schema breaks', async () => {
  const whole = await run('check', apiSchemaPath);
  expect([whole.exitCode, whole.stdout]).toEqual([0, '2 published operations checked\n']);
  const sdl = (await readFile(apiSchemaPath, 'utf8')).replace(/\n {2}health: \[[^\n]*/, '');
  const broken = await run('check', await file('schema.graphql', sdl));
  expect(broken.exitCode).toBe(2);
  expect(broken.stdout).toContain(`Health ${sha256(health)}: Cannot query field "health" on type "Query".`);
  expect(broken.stderr).toContain('breaks 1 of 2 published operations');
  expect((await run('check', await file('none.graphql', 'nonsense'))).exitCode).toBe(1);
});
