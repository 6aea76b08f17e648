// The pages of docs/ can be found and followed: lists are complete, and links lead to existing files and headings.
// needs: git
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { anchorsOf, relativeLinks } from './support/markdown-links.ts';

const root = join(import.meta.dirname, '../..');
const { stdout } = await promisify(execFile)('git', ['ls-files'], { cwd: root, maxBuffer: 2 ** 24 });
const tracked = stdout.trimEnd().split('\n');
const places = new Set(tracked.flatMap(withFolders));

function withFolders(file: string): string[] {
  const folder = dirname(file);
  return folder === '.' ? [file] : [file, ...withFolders(folder)];
}

function read(file: string): Promise<string> {
  return readFile(join(root, file), 'utf8');
}

/** The links of a page as paths from the root, with their anchors. */
async function linksOf(page: string): Promise<readonly { link: string; path: string; anchor: string | undefined }[]> {
  return relativeLinks(await read(page)).map((link) => {
    const [target = '', anchor] = link.split('#', 2);
    return { link, path: target === '' ? page : normalize(join(dirname(page), target)).replace(/\/$/, ''), anchor };
  });
}

async function brokenLinks(page: string): Promise<string[]> {
  const broken: string[] = [];
  for (const { link, path, anchor } of await linksOf(page)) {
    const leads =
      places.has(path) && (anchor === undefined || !path.endsWith('.md') || anchorsOf(await read(path)).has(anchor));
    if (!leads) broken.push(`${page}: ${link}`);
  }
  return broken;
}

const records = tracked.filter((file) => /^docs\/decisions\/\d{4}-.+\.md$/.test(file));

test('docs/README.md lists every page once', async () => {
  const pages = tracked.filter((file) => /^docs\/(tutorials\/)?[^/]+\.md$/.test(file) && file !== 'docs/README.md');
  const listed = (await linksOf('docs/README.md')).filter(({ anchor }) => anchor === undefined).map(({ path }) => path);
  expect(pages).toContain('docs/glossary.md');
  expect(listed.filter((path) => pages.includes(path)).sort()).toEqual(pages);
});

test('the README shows one screen after another: at most 120 lines, and its first two blocks start and test', async () => {
  const readme = await read('README.md');
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block.split('\n')[0]);
  expect(blocks.slice(0, 2)).toEqual(['npm start', expect.stringMatching(/^npm test( |$)/)]);
  const boxes = [...readme.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(([, box = '']) => box.trimEnd().split('\n'));
  expect(boxes).toHaveLength(4);
  for (const box of boxes) {
    expect(box.length).toBeLessThanOrEqual(6);
    expect(box.filter((line) => !line.startsWith('$ '))).not.toEqual([]);
  }
});

test('docs/decisions/README.md lists every record once, under its own title', async () => {
  const listed = (await linksOf('docs/decisions/README.md')).map(({ path }) => path);
  expect(records.length).toBeGreaterThan(100);
  expect(listed.filter((path) => records.includes(path)).sort()).toEqual(records);

  const list = await read('docs/decisions/README.md');
  const missing: string[] = [];
  for (const record of records) {
    const name = record.slice('docs/decisions/'.length);
    const title = (await read(record)).match(/^# (\d{4}): (.+)$/m);
    if (title?.[1] !== name.slice(0, 4) || !list.includes(`[${title[2]}](${name})`)) missing.push(record);
  }
  expect(missing).toEqual([]);
});

test('no two records share a number, folded ones included, and the list leads to the page of each folded one', async () => {
  const numbers = records.map((record) => record.match(/\d{4}/)?.[0]);
  const list = await read('docs/decisions/README.md');
  const pages = tracked.filter((file) => file.startsWith('docs/decisions/folded/'));
  expect(pages.length).toBeGreaterThan(5);
  for (const page of pages) {
    const folded = [...(await read(page)).matchAll(/^- (\d{4}): /gm)].map(([, number]) => number);
    const name = page.slice('docs/decisions/'.length);
    const listed = list.match(new RegExp(`\\]\\(${name}\\): ([\\d,\\s]+)\\.`))?.[1];
    expect(listed?.split(/,\s+/)).toEqual(folded);
    numbers.push(...folded);
  }
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('every relative link leads to a tracked file and an existing heading', async () => {
  const pages = tracked.filter((file) => /^(docs\/.+|[A-Z_]+)\.md$/.test(file) || file.endsWith('/README.md'));
  expect(pages).toEqual(expect.arrayContaining(['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md']));
  const broken = await Promise.all(pages.map(brokenLinks));
  expect(broken.flat()).toEqual([]);
});

test('the glossary is in alphabetical order', async () => {
  const terms = [...(await read('docs/glossary.md')).matchAll(/^### (.+)$/gm)].map(([, term = '']) => term);
  const byWord = new Intl.Collator('en', { sensitivity: 'base' });
  expect(terms.length).toBeGreaterThan(50);
  expect(terms).toEqual([...new Set(terms)].sort(byWord.compare));
});

test('links in code do not count, and anchors follow the rule of GitHub', () => {
  const page =
    '# What is *it*, `a/b`?\n```sh\n# not a heading\n[x](no.md)\n```\n[a](b.md#c) `[d](e.md)` [f](https://g/)\n## Twice\n## Twice';
  expect(relativeLinks(page)).toEqual(['b.md#c']);
  expect([...anchorsOf(page)]).toEqual(['what-is-it-ab', 'twice', 'twice-1']);
});
