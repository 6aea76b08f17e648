// Each setting that the pages, the rules for Prometheus, the dashboard for Grafana and the sample settings name exists, and so does
// each metric of the rules and the dashboard.
// needs: git
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { describeSettings } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';

const root = join(import.meta.dirname, '../..');
const { stdout } = await promisify(execFile)('git', ['ls-files'], { cwd: root, maxBuffer: 2 ** 24 });
const tracked = stdout.trimEnd().split('\n');
const settings = new Set(describeSettings(subgraphRows).map(({ name }) => name));
const groups = new Set([...settings].filter((name) => name.includes('.')).map((name) => name.replace(/\..*/, '')));

/** Other words with dots that begin like a setting: event kinds, files, hosts, and placeholders. */
const isOther = (word: string, kinds: ReadonlySet<string>): boolean =>
  kinds.has(word) ||
  /\.(?:json|keys|memory|memory\.revoked|net|sql|ts|test|yaml)$/.test(word) ||
  /\.(?:N$|NAME)/.test(word) ||
  [...settings].some((name) => name.startsWith(`${word}.`));

/** Named on purpose although they are gone, or as fields of the graph. */
const known = new Set(['objectController.centreUrls', 'loadbalancer.quota']);

/** Made of a subject and a figure (traffic-recorder.ts). */
const ofTraffic = /^tidegate_load_balancer_([a-z]+)_(.+?)(?:_total)?$/;

const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8');

async function eventKinds(): Promise<ReadonlySet<string>> {
  return new Set([...(await read('docs/events.md')).matchAll(/^\| `(\w+\.\w+)` \|/gm)].map(([, kind = '']) => kind));
}

/** Words with dots whose first part is that of a setting; of a page, those in code. */
function settingsIn(file: string, text: string): readonly string[] {
  const parts = file.endsWith('.md') ? (text.match(/`[^`\n]+`/g) ?? []) : [text];
  return parts
    .flatMap((part) => part.match(/(?<![\w./@-])[a-z][A-Za-z]*(?:\.[a-zA-Z]+)+(?![\w(/-])/g) ?? [])
    .filter((word) => groups.has(word.replace(/\..*/, '')));
}

async function missingIn(files: readonly string[]): Promise<readonly string[]> {
  const kinds = await eventKinds();
  const found = await Promise.all(
    files.map(async (file) =>
      settingsIn(file, await read(file))
        .filter((word) => !settings.has(word) && !known.has(word) && !isOther(word, kinds))
        .map((word) => `${file}: ${word}`),
    ),
  );
  return [...new Set(found.flat())];
}

test('a word that is no setting is found', () => {
  expect(settingsIn('a.yml', 'raise database.connectionLimit, or see docs/database.md and log.info(x)')).toEqual([
    'database.connectionLimit',
  ]);
  expect(settingsIn('a.md', 'set `database.nothing`, not database.name')).toEqual(['database.nothing']);
  expect(isOther('database.connectionLimit', new Set())).toBe(false);
});

test.each([
  ['the pages', /^(?:docs\/(?!decisions\/).*|README|CHANGELOG)\.?(?:md)?$/],
  ['the rules, the dashboard and the sample settings', /^docker\/.*\.(?:ya?ml|json)$/],
])('%s name only settings that exist', async (_, files) => {
  const these = tracked.filter((file) => files.test(file) && /\.(?:md|ya?ml|json)$/.test(file));
  expect(these.length).toBeGreaterThan(4);
  expect(await missingIn(these)).toEqual([]);
});

test('each metric of the rules, the dashboard and the runbook is in the code', async () => {
  const sources = tracked.filter((file) => /^(?:compose|gateway|platform|subgraphs|workers)\/.*\.ts$/.test(file));
  const code = (await Promise.all(sources.map(read))).join('\n');
  const shown = await Promise.all(
    ['docker/prometheus/tidegate.rules.yml', 'docker/grafana/tidegate.json', 'docs/runbook.md'].map(read),
  );
  const names = new Set(shown.join('\n').match(/\btidegate_\w+/g));
  expect(names.size).toBeGreaterThan(20);
  const inCode = (word: string) => code.includes(`'${word}'`);
  const isMade = (name: string) =>
    [name, name.replace(/_(?:bucket|sum|count)$/, '')].some(inCode) ||
    (ofTraffic.exec(name)?.slice(1).every(inCode) ?? false);
  expect([...names].filter((name) => !isMade(name))).toEqual([]);
});
