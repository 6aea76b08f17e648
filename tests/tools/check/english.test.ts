// The sentences that the advisory count finds, and the patterns that it reports.
import { describe, expect, test } from '@jest/globals';
import {
  partOf,
  sentencesOfPage,
  sentencesOfProgram,
  sentencesOfSdl,
  suspectPatterns,
} from '../../../tools/check/english.ts';

describe('patterns', () => {
  test.each([
    ['Who gains partitions in the step that is under way.', 'free relative as the subject'],
    ['The response code of what is wrong.', 'free relative'],
    ['The first position that it was told.', 'speech of processes'],
    ['How fast the disk was; null: it was not measured.', 'value and colon'],
    ['Makes the rings anew after a change.', 'archaic word'],
    ['Whether a cluster is to hold replicas.', '"is to" for should'],
    ['One keeper for each cluster of a site.', 'coined noun'],
    ['The time of the check, or of those that failed.', 'reference by fragment'],
    ['Undefined: the disk was not measured.', 'value and colon'],
    ['Keeps the last answer for ever.', 'archaic word'],
    ['Serves the page beside the graph.', 'archaic word'],
    ['Refuses whoever has no token.', 'archaic word'],
    ['The old host goes on with its work.', 'vague idiom'],
    ['A slow disk holds up the other calls.', 'vague idiom'],
    ['Of the input that makes the name.', 'missing subject'],
    ['By name.', 'missing subject'],
    ['A change of a cluster.', 'says nothing'],
    [`A sentence with ${'far too many words '.repeat(10)}in it.`, 'long sentence'],
  ])('%s', (sentence, pattern) => {
    expect(suspectPatterns(sentence)).toEqual([pattern]);
  });

  test.each([
    'Clusters that gain partitions in the current step, with their last report.',
    'Whether the cluster should hold replicas. Default: true.',
    'Measured disk speed. Null if never measured.',
    'Of course the disk can be full.',
    'What should happen to a message that was never acknowledged?',
    'Fails with `what it says of them` when the disk is full.',
  ])('accepted: %s', (sentence) => {
    expect(suspectPatterns(sentence)).toEqual([]);
  });
});

test('in a program: comments and strings, each sentence with its line, but no code, statements, graph documents or regular expressions', () => {
  const program = [
    '// Reads one file of a folder. Then it',
    '// closes the file again.',
    'const url = /https:\\/\\/ is no comment/;',
    'const sql = `SELECT id FROM users WHERE the name is known`;',
    'const query = `query Disks($first: Int) { disks(first: $first) { nodes { id name } } }`;',
    '/**',
    ' * Refuses a full disk.',
    ' */',
    `export const refusal = (name: string) => \`The disk \${name} is full: free some space\`;`,
    "const key = 'a-word';",
  ].join('\n');
  expect(sentencesOfProgram(program)).toEqual([
    { line: 1, text: 'Reads one file of a folder.' },
    { line: 1, text: 'Then it closes the file again.' },
    { line: 7, text: 'Refuses a full disk.' },
    { line: 9, text: 'The disk _ is full: free some space' },
  ]);
});

test('in a schema: descriptions', () => {
  const sdl =
    '"""\nA cluster of hosts.\n"""\ntype Cluster {\n  "Name, unique in the site."\n  name: String! = "not a description"\n}';
  expect(sentencesOfSdl(sdl)).toEqual([
    { line: 2, text: 'A cluster of hosts.' },
    { line: 5, text: 'Name, unique in the site.' },
  ]);
});

test('in a page: its text without code, with list items and cells as separate sentences', () => {
  const page =
    '# How to start a site\n\n```\nnpm start the whole thing\n```\n- Open the first page\n| a cell with words | `code` |';
  expect(sentencesOfPage(page).map(({ line, text }) => `${line} ${text}`)).toEqual([
    '1 How to start a site',
    '6 Open the first page',
    '7 | a cell with words',
  ]);
});

test('a file belongs to one part', () => {
  expect(partOf('schema/gslb.made.graphql')).toBe('sdl:gslb');
  expect(partOf('subgraphs/gslb/row.ts')).toBe('gslb');
  expect(partOf('bench/trials/judge.ts')).toBe('trials');
  expect(partOf('bench/run.ts')).toBe('bench');
  expect(partOf('tools/check/english.ts')).toBe('tools');
  expect(partOf('README.md')).toBe('docs');
  expect(partOf('package.json')).toBeUndefined();
});
