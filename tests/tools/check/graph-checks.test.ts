// needs: processes
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type ASTNode, buildASTSchema, type DocumentNode, Kind, parse, visit } from 'graphql';
import { apiSchemaOf } from '../../../platform/graph/sdl.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { findBrokenPromises } from '../../../tools/check/breaking-changes.ts';
import { findStaleFiles } from '../../../tools/check/generated-file-checks.ts';
import { outputFaults, runProgram } from '../../../tools/check/run-program.ts';
import { lintSdl } from '../../../tools/check/sdl-lint.ts';
import { clientChanges } from '../../../tools/client-changes.ts';
import { readReleasedGraph } from '../../../tools/released-graph.ts';

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
  const base = `
    directive @semanticNonNull(levels: [Int!]! = [0]) on FIELD_DEFINITION
    type Query { a(first: Int = 20, of: New): [E!] @semanticNonNull @cost(weight: 5) b: Int c: [Lamp!]! @listSize(assumedSize: 5) }
    type Lamp { lit: Boolean old: Int @deprecated(reason: "Use Lamp.lit. Not removed before 2027-06-01.") }
    type Mutation { "Makes a lamp. Role: MEMBER. Refuses: NOT_FOUND." lampCreate(input: New!): Lamp }
    input New { name: String! size: Int = 2 note: String }
    enum E { A }
    scalar Port @specifiedBy(url: "https://example.test/port")
  `;
  const released = (sdl: string) => ({ version: '0.2.0', document: parse(sdl) });
  const faults = (after: string, notes = '', day = '2027-01-01') =>
    findBrokenPromises(released(base), parse(after), notes, day);
  const explained = (fault: string) =>
    /^since 0\.2\.0: (.*) \(or say why in schema\/breaking\.md\)$/.exec(fault)?.[1] ?? fault;

  test.each([
    [' b: Int', '', 'Query.b was removed.'],
    ['first: Int = 20', 'first: Int = 10', 'Query.a(first:) has the default 10 and had 20.'],
    ['size: Int = 2', 'size: Int = 3', 'New.size has the default 3 and had 2.'],
    ['size: Int = 2', 'size: Int', 'New.size has the default (none) and had 2.'],
    ['note: String', 'note: String = "x"', 'New.note has the default "x" and had (none).'],
    ['levels: [Int!]! = [0]', 'levels: [Int!]! = [1]', '@semanticNonNull(levels:) has the default [1] and had [0].'],
    ['levels: [Int!]! = [0]', 'levels: [Int!] = [0]', '@semanticNonNull(levels:) has the type [Int!] and had [Int!]!.'],
    [' @semanticNonNull @cost', ' @cost', 'Query.a may be null without an error.'],
    ['@semanticNonNull @cost', '@semanticNonNull(levels: [1]) @cost', 'Query.a may be null without an error.'],
    ['@cost(weight: 5)', '@cost(weight: 6)', 'Query.a costs 6 and cost 5.'],
    [' b: Int', ' b: Int @cost(weight: 2)', 'Query.b costs 2 and cost 1.'],
    ['assumedSize: 5', 'assumedSize: 6', 'Query.c has @listSize(assumedSize: 6) and had @listSize(assumedSize: 5).'],
    ['@listSize(assumedSize: 5)', '', 'Query.c has no @listSize and had @listSize(assumedSize: 5).'],
    ['input New', 'input New @oneOf', 'New takes exactly one of its fields.'],
    ['/port', '/ports', 'Port has the specification https://example.test/ports and had https://example.test/port.'],
    ['Role: MEMBER', 'Role: OPERATOR', 'Mutation.lampCreate needs the role OPERATOR and needed MEMBER.'],
    [' b: Int', ' b: Int @tag(name: "admin")', 'Query.b left the public part of the graph.'],
    [' b: Int', ' b: Int @slow', 'Query.b has @slow and had none.'],
    ['2027-06-01', '2027-05-01', 'Lamp.old may be removed from 2027-05-01, and was promised until 2027-06-01.'],
  ])('%j changed to %j: %s', (before, after, change) => {
    expect(base).toContain(before);
    const changed = base.replace(before, after);
    expect(faults(changed).map(explained)).toEqual([change]);
    expect(faults(changed, `# Reasons\n\n- ${change} Reason: it never worked.\n`)).toEqual([]);
    expect(faults(changed, `- ${change}\n`)).toHaveLength(2);
  });

  test.each([
    [' b: Int', ' b: Int d: Int'],
    [' b: Int', ' b(of: Int = 3): Int'],
    [' b: Int', ' b: Int!'],
    ['[E!] @semanticNonNull', '[E!]!'],
    ['enum E { A }', 'enum E { A B }'],
    ['name: String!', 'name: String! = "x"'],
    ['weight: 5', 'weight: 4'],
    ['Role: MEMBER', 'Role: USER'],
    ['2027-06-01', '2027-07-01'],
    ['old: Int @deprecated(reason: "Use Lamp.lit. Not removed before 2027-06-01.")', 'old: Int'],
  ])('%j changed to %j needs no reason', (before, after) => {
    expect(base).toContain(before);
    expect(faults(base.replace(before, after))).toEqual([]);
  });

  test('a deprecated element can be removed from its date on, and not earlier, whatever the reason', () => {
    const [field] = /old: Int.*?"\)/.exec(base) ?? [''];
    const after = base.replace(field, '');
    const tooSoon = 'Lamp.old was promised until 2027-06-01: keep it until then';
    const reason = '- Lamp.old was removed. Reason: nobody asked for it.';
    expect(faults(after, reason, '2027-05-31')).toEqual([tooSoon]);
    expect(faults(after, '', '2027-06-01')).toEqual([]);
    expect(faults(base, '', '2027-06-01')).toEqual([]);
  });

  test('a type is removed with the last element that led to it', () => {
    const [before, after] = [
      'type Query { a: Int b: B @deprecated(reason: "Use Query.a. Not removed before 2027-06-01.") } type B { c: C } type C { d: Int }',
      'type Query { a: Int }',
    ];
    expect(findBrokenPromises(released(before), parse(after), '', '2027-06-01')).toEqual([]);
    expect(
      findBrokenPromises(
        released(before),
        parse('type Query { a: Int b: B } type B { c: C } type C { d: Int }'),
        '',
        '2027-06-01',
      ),
    ).toEqual([]);
  });

  test('a reason without a change is refused', () => {
    expect(faults(base, '- Query.z was removed. Reason: it is gone.\n')).toEqual([
      'schema/breaking.md: "Query.z was removed. Reason: it is gone." is no change since the last release, or gives no reason: remove it',
    ]);
  });

  test('changes of defaults and directives of the released graph are always detected', async () => {
    const { document } = await readReleasedGraph(process.cwd());
    const build = (each: DocumentNode) => buildASTSchema(each, { assumeValidSDL: true });
    const before = build(document);
    const without = (drop: (node: ASTNode) => boolean) => {
      let dropped = 0;
      const rest: DocumentNode = visit(document, {
        enter: (node: ASTNode, key) => {
          if (node.kind === Kind.DIRECTIVE_DEFINITION) return false;
          if (key === 'defaultValue' || node.kind === Kind.DIRECTIVE) {
            if (!drop(node)) return undefined;
            dropped += 1;
            return null;
          }
          return undefined;
        },
      });
      const { breaking, others } = clientChanges(before, build(rest));
      return { dropped, seen: breaking.length + others.length };
    };
    for (const name of ['semanticNonNull', 'listSize']) {
      const { dropped, seen } = without((node) => node.kind === Kind.DIRECTIVE && node.name.value === name);
      expect(dropped).toBeGreaterThan(50);
      expect({ name, seen }).toEqual({ name, seen: dropped });
    }
    const defaults = without((node) => node.kind !== Kind.DIRECTIVE);
    expect(defaults.dropped).toBeGreaterThan(300);
    expect(defaults.seen).toBe(defaults.dropped);
  });
});

test('a folder without a released graph is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-check-'));
  await expect(readReleasedGraph(folder)).rejects.toThrow('schema/released/ needs one file');
  await rm(folder, { recursive: true });
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

test('a failing program is a fault with its output, and a missing program throws', async () => {
  const options = { cwd: '/', signal: new AbortController().signal };
  const failing = await runProgram(process.execPath, ['-e', 'console.log("wrong"); process.exit(3)'], options);
  expect(outputFaults(failing)).toEqual(['wrong']);
  expect(outputFaults(await runProgram(process.execPath, ['-e', '0'], options))).toEqual([]);
  await expect(runProgram('/no/such/program', [], options)).rejects.toThrow('could not be run');
});
