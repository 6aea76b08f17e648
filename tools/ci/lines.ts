// How large the tree is: lines of all tracked files by kind and top folder, beside those of the last release. `.ci/run` prints them; `npm run
// release` stores them in released-lines.json, so that a shallow clone can compare, too.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What the lines are for: the product, its proof, its documents, files that a program wrote, and the tools of its developers. */
const kinds = ['product', 'proof', 'docs', 'generated', 'tools'] as const;
type Kind = (typeof kinds)[number];
/** Lines by kind and top folder. */
type Lines = Readonly<Record<Kind, Readonly<Record<string, number>>>>;

export interface ReleasedLines {
  readonly version: string;
  readonly lines: Lines;
}

export const releasedLinesPath = 'tools/ci/released-lines.json';
const generated = /(^|\/)package-lock\.json$|^schema\/(api|public)\.graphql$|^schema\/released\/|^docs\/pictures\//;
const proof = /^(tests|trials|bench|measure|simulators)\//;
const tools = /^(tools\/|\.|[^/]+$)/;
const mostBytes = 2 ** 30;

export function kindOf(path: string): Kind {
  if (generated.test(path)) return 'generated';
  if (proof.test(path)) return 'proof';
  if (path.startsWith('docs/') || path.endsWith('.md')) return 'docs';
  return tools.test(path) ? 'tools' : 'product';
}

/** `tree`: a commit or tree of the repository at `root`. */
export async function linesOf(root: string, tree: string): Promise<Lines> {
  const listed = await git(root, ['ls-tree', '-r', '-z', tree]);
  const files = listed
    .toString()
    .split('\0')
    .map((row) => /^\d+ blob (\w+)\t(.+)$/s.exec(row) ?? [])
    .filter(([, , path]) => path !== undefined && path !== releasedLinesPath) as unknown as [string, string, string][];
  const counts = lineCounts(await git(root, ['cat-file', '--batch'], files.map(([, blob]) => `${blob}\n`).join('')));
  const lines: Record<Kind, Record<string, number>> = { product: {}, proof: {}, docs: {}, generated: {}, tools: {} };
  for (const [index, [, , path]] of files.entries()) {
    const folder = path.includes('/') ? (path.split('/')[0] ?? '') : '(root)';
    const own = lines[kindOf(path)];
    own[folder] = (own[folder] ?? 0) + (counts[index] ?? 0);
  }
  return lines;
}

/** Of each object in the output of `git cat-file --batch`. */
function lineCounts(output: Buffer): number[] {
  const counts: number[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf('\n', at);
    const from = end + 1;
    const to = from + Number(output.toString('utf8', at, end).split(' ')[2]);
    let lines = 0;
    for (let next = output.indexOf('\n', from); next >= 0 && next < to; next = output.indexOf('\n', next + 1))
      lines += 1;
    counts.push(lines);
    at = to + 1;
  }
  return counts;
}

async function git(root: string, words: readonly string[], input = ''): Promise<Buffer> {
  const running = promisify(execFile)('git', words, { cwd: root, maxBuffer: mostBytes, encoding: 'buffer' });
  // A program that ended early reads no more; its exit code says why.
  running.child.stdin?.on('error', () => undefined).end(input);
  return (await running).stdout;
}

/** Kinds, and below each its folders, the largest first. */
export function reportOfLines(now: Lines, released: ReleasedLines | undefined): string[] {
  const rows = kinds.flatMap((kind) => {
    const before = released?.lines[kind];
    const folders = [...new Set([...Object.keys(now[kind]), ...Object.keys(before ?? {})])]
      .map((name) => rowOf(`  ${name}`, now[kind][name] ?? 0, before && (before[name] ?? 0)))
      .toSorted((one, other) => other.lines - one.lines);
    return [rowOf(kind, sum(now[kind]), before && sum(before)), ...folders];
  });
  const all = (lines: Lines) => kinds.reduce((total, kind) => total + sum(lines[kind]), 0);
  return [
    released === undefined ? 'Lines:' : `Lines, and since ${released.version}:`,
    ...[...rows, rowOf('all', all(now), released && all(released.lines))].map(({ text }) => text),
  ];
}

function rowOf(
  name: string,
  lines: number,
  before: number | undefined,
): { readonly lines: number; readonly text: string } {
  const change = before === undefined ? '' : `${lines < before ? '' : '+'}${lines - before}`.padStart(9);
  return { lines, text: `${name.padEnd(18)}${String(lines).padStart(8)}${change}` };
}

function sum(lines: Readonly<Record<string, number>>): number {
  return Object.values(lines).reduce((total, each) => total + each, 0);
}

if (import.meta.main) {
  const root = dirname(dirname(import.meta.dirname));
  const stored = await readFile(join(root, releasedLinesPath), 'utf8').catch(() => undefined);
  const now = await linesOf(root, 'HEAD');
  process.stdout.write(`${reportOfLines(now, stored === undefined ? undefined : JSON.parse(stored)).join('\n')}\n`);
}
