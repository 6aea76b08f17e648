// Advisory count of sentences that a reader may have to read twice: comments, user-visible strings, SDL descriptions and pages,
// compared with the patterns of the style guide's table. `npm run check:english` prints the counts by part;
// `npm run check:english -- --list PART` prints the suspects of one part.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Sentence {
  readonly line: number;
  readonly text: string;
}

/** Names of patterns, with the expressions that match a sentence. */
const patterns: readonly (readonly [string, RegExp])[] = [
  ['free relative as the subject', /^(who|whoever|whose|what|whatever)\b(?!.*\?$)/i],
  [
    'free relative',
    /[,;:(] (who|whoever|what)\b|\b(of|from|by|with|for|to|and|or|in|on|than|as) what\b|\bwhat (it|they) \w+/i,
  ],
  ['speech of processes', /\b(told|tells?|telling|heard|hears?|says?|said|saying)\b/i],
  [
    'value and colon',
    /(^|[;,(] )(null|none|undefined|empty|false|true|zero|0|left out|omitted|without( it| one)?|absent): /i,
  ],
  [
    'archaic word',
    /\b(anew|dear(er)?|beneath|thereby|meanwhile|thereof|whereof|lest|erstwhile|for good|for ever|whoever)\b|\bbeside (?!the point\b)/i,
  ],
  ['vague idiom', /\b(goes|going|went) on\b|\b(holds?|held|holding) up\b/i],
  ['"is to" for should', /\b(is|are|was|were) (not )?to (?!date\b)[a-z]+\b/i],
  [
    'coined noun',
    /\b(desks?|keepers?|hearings?|forgetters?|taking-over|grounds?|centre)\b|\b(a|the|each|every|one|last|first|next|this|its) looks?\b/i,
  ],
  ['reference by fragment', /\b(of it|of them|of those|those (that|of|who)|that of|one of these|of theirs)\b/i],
  ['missing subject', /^(Of (?!course\b)|Told\b|By (id|name|UUID)\.$)/],
  ['says nothing', /^(a|an|the) [\w-]+ (of|for) (a|an|the|one) [\w-]+( [\w-]+)?\.$/i],
  ['long sentence', /^(\S+\s+){38}/],
];

/** Names of the patterns that the sentence matches. Quoted text and code don't count. */
export function suspectPatterns(sentence: string): string[] {
  const words = sentence.replace(/`[^`]*`|"[^"]*"|“[^”]*”/g, '_');
  return patterns.filter(([, pattern]) => pattern.test(words)).map(([name]) => name);
}

const isSentence = (text: string): boolean =>
  text.split(/\s+/).filter((word) => /^[("]?[A-Za-z][a-z'-]*[.,;:)"?!]*$/.test(word)).length >= 3;

/** Sentences of a paragraph that begins at a line. */
function split(text: string, line: number): Sentence[] {
  const found: Sentence[] = [];
  let from = 0;
  for (const end of [...text.matchAll(/[.?!]["')]?\s+(?=["'(`]?[A-Z`])|\n\s*\n/g), undefined]) {
    const to = end === undefined ? text.length : end.index + end[0].trimEnd().length;
    const raw = text.slice(from, to);
    const start = from + raw.length - raw.trimStart().length;
    const sentence = raw.trim().replace(/\s+/g, ' ');
    if (isSentence(sentence)) found.push({ line: line + text.slice(0, start).split('\n').length - 1, text: sentence });
    from = to;
  }
  return found;
}

/** Comments, strings and templates of a program; regular expressions are skipped. */
const token =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[(,=:[!&|?{};]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g;
const graphDocument = /^.\s*(query|mutation|subscription|fragment) \w+[^.]*\{/;
const sql = /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|JOIN|VALUES)\b/;

export function sentencesOfProgram(text: string): Sentence[] {
  return [...text.matchAll(token)].flatMap(({ 0: found, index }) => {
    const line = text.slice(0, index).split('\n').length;
    if (found.startsWith('/*')) return split(found.slice(2, -2).replace(/^[ \t]*\* ?|^\*/gm, ' '), line);
    if (found.startsWith('//')) return split(found.replace(/^[ \t]*\/\/ ?/gm, ''), line);
    if (found.startsWith('/') || graphDocument.test(found) || sql.test(found)) return [];
    return split(found.slice(1, -1).replace(/\$\{[^}]*\}/g, '_'), line);
  });
}

const description = /"""([\s\S]*?)"""|^[ \t]*"((?:\\.|[^"\\\n])+)"|#[^\n]*/gm;

export function sentencesOfSdl(text: string): Sentence[] {
  return [...text.matchAll(description)].flatMap(({ 0: found, 1: block, 2: line, index }) =>
    split(block ?? line ?? found.slice(1), text.slice(0, index).split('\n').length),
  );
}

/** Skips code blocks. Each list item and table cell is separate. */
export function sentencesOfPage(text: string): Sentence[] {
  let code = false;
  return text.split('\n').flatMap((row, index) => {
    if (row.startsWith('```')) code = !code;
    if (code) return [];
    return row
      .replace(/^\s*([-*#>]+|\d+\.)\s+/, '')
      .split(' | ')
      .flatMap((cell) => split(cell, index + 1));
  });
}

/** Parts in the order of the report; the first that fits a path counts it. */
const parts: readonly (readonly [string, RegExp])[] = [
  ...['gslb', 'loadbalancer', 'object-storage', 'relay', 'system'].map(
    (name) => [`sdl:${name}`, new RegExp(`^(schema|generated/schema)/${name}(\\.made)?\\.graphql$`)] as const,
  ),
  ['sdl:shared', /^schema\/shared\.graphql$/],
  ...['gslb', 'loadbalancer', 'object-storage', 'relay', 'system'].map(
    (name) => [name, new RegExp(`^subgraphs/${name}/.*\\.ts$`)] as const,
  ),
  ...['platform', 'gateway', 'dns', 'ha', 'workers'].map((name) => [name, new RegExp(`^${name}/.*\\.ts$`)] as const),
  ['trials', /^(bench\/)?trials\/.*\.ts$/],
  ['bench', /^(bench|measure)\/.*\.ts$/],
  ['cli', /^(bin|cli|compose)\/.*\.ts$/],
  ['tools', /^tools\/.*\.ts$/],
  ['lab', /^(lab|simulators)\/.*\.ts$/],
  ['dashboard', /^dashboard\/src\/.*\.tsx?$/],
  ['tests', /^tests\/.*\.ts$/],
  ['docs', /^(docs\/.*|[A-Z]+)\.md$/],
];

export function partOf(path: string): string | undefined {
  return parts.find(([, pattern]) => pattern.test(path))?.[0];
}

const roots = [
  ...['bench', 'bin', 'cli', 'compose', 'dashboard/src', 'dns', 'docs', 'gateway', 'generated/schema', 'ha', 'lab'],
  ...['measure', 'platform', 'schema', 'simulators', 'subgraphs', 'tests', 'tools', 'trials', 'workers'],
];

async function readPart(root: string): Promise<Map<string, { readonly path: string; readonly sentence: Sentence }[]>> {
  const top = (await readdir(root)).filter((name) => name.endsWith('.md'));
  const below = await Promise.all(
    roots.map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true }).catch(() => [])).map((name) => join(folder, name)),
    ),
  );
  const found = new Map(parts.map(([name]) => [name, [] as { path: string; sentence: Sentence }[]]));
  for (const path of [...top, ...below.flat()].filter((each) => !each.includes('node_modules')).sort()) {
    const part = partOf(path);
    if (part === undefined) continue;
    const text = await readFile(join(root, path), 'utf8');
    const read = path.endsWith('.md')
      ? sentencesOfPage
      : path.endsWith('.graphql')
        ? sentencesOfSdl
        : sentencesOfProgram;
    for (const sentence of read(text)) found.get(part)?.push({ path, sentence });
  }
  return found;
}

if (import.meta.main) {
  const list = process.argv.indexOf('--list');
  const wanted = list < 0 ? undefined : process.argv[list + 1];
  const found = await readPart(join(import.meta.dirname, '../..'));
  if (list >= 0 && (wanted === undefined || !found.has(wanted)))
    throw new Error(`--list takes a part: ${[...found.keys()].join(', ')}`);
  for (const [part, sentences] of found) {
    const suspects = sentences.filter(({ sentence }) => suspectPatterns(sentence.text).length > 0);
    if (part === wanted)
      for (const { path, sentence } of suspects)
        console.log(`${path}:${sentence.line} [${suspectPatterns(sentence.text).join(', ')}] ${sentence.text}`);
    if (wanted === undefined && sentences.length > 0) {
      const share = Math.round((100 * suspects.length) / sentences.length);
      console.log(
        `${part.padEnd(20)}${String(suspects.length).padStart(6)} of ${String(sentences.length).padStart(6)}${`${share} %`.padStart(7)}`,
      );
    }
  }
}
