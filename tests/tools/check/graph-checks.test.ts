// needs: processes
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { apiSchemaOf } from '../../../platform/graph/sdl.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { earlierSchema, findUnexplainedChanges } from '../../../tools/check/breaking-changes.ts';
import { findStaleFiles } from '../../../tools/check/generated-file-checks.ts';
import { outputFaults, runProgram } from '../../../tools/check/run-program.ts';
import { lintSdl } from '../../../tools/check/sdl-lint.ts';

const good = `
"A thing."
type Thing {
  "Its name."
  name: String!
  "Its parts."
  parts("Only red ones." red: Boolean, first: Int = 20, after: String): PartConnection!
}

"A page of parts."
type PartConnection {
  "Items."
  nodes: [Part!]!
  "Where it ends."
  pageInfo: PageInfo!
  "How many there are."
  totalCount: Int
}

"What to make."
input ThingCreateInput {
  "Its name."
  name: String!
}

"The thing."
type ThingPayload {
  "Null when refused."
  thing: Thing
  "Refused."
  userErrors: [UserError!]!
  "The write."
  commit: Commit
}

"Which."
enum Colour {
  "Red."
  RED
}

type Mutation {
  "Makes a thing."
  thingCreate(input: ThingCreateInput!): ThingPayload
}
`;

describe('lintSdl', () => {
  test('a graph that follows the rules has no faults', () => {
    expect(lintSdl('good', good)).toEqual([]);
  });

  test.each([
    ['"A thing."\n', '', 'Thing has no description'],
    [
      '  "Its name."\n  name: String!\n  "Its parts."',
      '  name: String!\n  "Its parts."',
      'Thing.name has no description',
    ],
    ['"Only red ones." ', '', 'Thing.parts(red) has no description'],
    ['  "Red."\n', '', 'Colour.RED has no description'],
    ['  "Its name."\n  name: String!\n}', '  name: String!\n}', 'ThingCreateInput.name has no description'],
    ['thingCreate(', 'createThing(', 'begins with a verb'],
    ['input: ThingCreateInput!', 'name: String!', 'must take exactly one argument, input'],
    ['input: ThingCreateInput!', 'input: ThingCreateInput!, "More." more: Int', 'must take exactly one argument'],
    ['): ThingPayload', '): Thing', 'must return a payload type'],
    ['[UserError!]!', '[UserError!]', 'needs userErrors: [UserError!]!'],
    ['  commit: Commit', '  commit: Boolean', 'needs commit: Commit'],
    ['  thing: Thing\n', '  thing: Thing!\n', 'ThingPayload.thing must be nullable'],
    ['first: Int = 20, after: String', 'first: Int = 20', 'connections, and only they, end with first'],
    ['first: Int = 20, after: String', 'after: String, first: Int = 20', 'connections, and only they, end with first'],
    ['first: Int = 20', 'first: Int', 'connections, and only they, end with first'],
    ['first: Int = 20', 'first: Int = 50', 'connections, and only they, end with first: Int = 20, after: String'],
    ['red: Boolean', 'filter: PartInput', 'Thing.parts(filter): make each filter an argument of its own'],
    ['red: Boolean', 'which: PartFilter', 'Thing.parts(which): make each filter an argument of its own'],
    ['input: ThingCreateInput!', 'input: ThingInput!', 'must take an ThingCreateInput'],
    ['  "Where it ends."\n  pageInfo: PageInfo!\n', '', 'PartConnection needs nodes: [Part!]! and pageInfo: PageInfo!'],
    ['  totalCount: Int\n', '  totalCount: Int!\n', 'and totalCount: Int, and no more'],
  ])('%j changed to %j: %s', (before, after, fault) => {
    expect(good).toContain(before);
    const faults = lintSdl('bad', good.replace(before, after));
    expect(faults).toEqual(expect.arrayContaining([expect.stringContaining(fault)]));
  });
});

describe('composition', () => {
  test('incompatible subgraphs are refused with the reason', () => {
    const one = 'type Query { a: Int }';
    const other = 'type Query { a: String }';
    expect(() =>
      composeSupergraph(
        new Map([
          ['one', one],
          ['other', other],
        ]),
      ),
    ).toThrow(/Query\.a/);
  });

  test('the API schema is the one that clients see', () => {
    const supergraphSdl = composeSupergraph(new Map([['one', 'type Query { a: Int }']]));
    expect(Object.keys(apiSchemaOf(supergraphSdl).getQueryType()?.getFields() ?? {})).toEqual(['a']);
    expect(supergraphSdl).toContain('join__Graph');
  });
});

describe('breaking changes', () => {
  const before = buildSchema('type Query { a: Int b: Int }');

  test('a removed field is named, an added one is not', () => {
    const after = buildSchema('type Query { a: Int c: Int }');
    expect(findUnexplainedChanges(before, after, '', 'HEAD')).toEqual([
      'since HEAD: Query.b was removed. (or say why in schema/breaking.md)',
    ]);
  });

  test('a changed default is named, and a new value of an enum is not', () => {
    const [old, now] = ['(first: Int = 20): E } enum E { A }', '(first: Int = 10): E } enum E { A B }'].map((rest) =>
      buildSchema(`type Query { a${rest}`),
    ) as [GraphQLSchema, GraphQLSchema];
    expect(findUnexplainedChanges(old, now, '', 'HEAD')).toEqual([
      'since HEAD: Query.a arg first has changed defaultValue from 20 to 10. (or say why in schema/breaking.md)',
    ]);
  });

  test('an earlier commit has the schema of clients, or the supergraph of before', async () => {
    const fields = (schema: GraphQLSchema | undefined) => Object.keys(schema?.getQueryType()?.getFields() ?? {});
    const at = (files: Record<string, string>) => earlierSchema(async (path) => files[path]);
    const supergraph = composeSupergraph(new Map([['one', 'type Query { b: Int }']]));
    const api = { 'schema/api.graphql': 'type Query { a: Int }' };
    expect(fields(await at(api))).toEqual(['a']);
    expect(fields(await at({ 'schema/supergraph.graphql': supergraph }))).toEqual(['b']);
    expect(fields(await at({ ...api, 'schema/supergraph.graphql': supergraph }))).toEqual(['a']);
    expect(await at({})).toBeUndefined();
  });

  test('an entry needs a reason', () => {
    const after = buildSchema('type Query { a: Int }');
    expect(findUnexplainedChanges(before, after, '- Query.b was removed.\n', 'HEAD')).toHaveLength(1);
    const notes = '# Breaking changes\n\n- Query.b was removed. Reason: it never worked.\n';
    expect(findUnexplainedChanges(before, after, notes, 'HEAD')).toEqual([]);
  });
});

test('a document that differs from the generated one is stale', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-check-'));
  await writeFile(join(folder, 'fresh.md'), 'now');
  await writeFile(join(folder, 'old.md'), 'then');
  const files = ['fresh.md', 'old.md', 'missing.md'].map((path) => ({ path, content: 'now', remedy: 'make it' }));
  expect(await findStaleFiles(folder, files)).toEqual([
    'old.md is out of date: make it',
    'missing.md is missing: make it',
  ]);
  await rm(folder, { recursive: true });
});

test('a failing program is a fault with its output; a missing one throws', async () => {
  const options = { cwd: '/', signal: new AbortController().signal };
  const failing = await runProgram(process.execPath, ['-e', 'console.log("wrong"); process.exit(3)'], options);
  expect(outputFaults(failing)).toEqual(['wrong']);
  expect(outputFaults(await runProgram(process.execPath, ['-e', '0'], options))).toEqual([]);
  await expect(runProgram('/no/such/program', [], options)).rejects.toThrow('could not be run');
});
