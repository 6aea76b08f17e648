// The files of `apply -f`: which files of a folder are read, in which order, and how faults name them.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFiles } from '../../../cli/apply/files.ts';
import { readImportFile } from '../../../cli/apply/import-file.ts';
import { readManifests } from '../../../cli/apply/manifests.ts';
import { allowedBy } from '../../../cli/secrets.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { runCommand } from '../commands/run-command.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const at = (name: string) => join(folder.path, name);
async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
  }
}
const around = { signal: new AbortController().signal };
const read = (path = folder.path, recursive = false) => readFiles(path, { recursive, ...around });
const names = async (recursive = false) => (await read(folder.path, recursive)).map(({ short }) => short);
/** No server listens there: a fault in the files is reported before any request. */
const apply = (...args: readonly string[]) =>
  runCommand(['apply', '--url', 'http://127.0.0.1:9/graphql', ...args], { env: { TIDEGATE_TOKEN: 'tg_x' } });
const pool = (name: string) => `kind: GslbPool\nname: ${name}\n`;

describe('a folder', () => {
  beforeEach(() =>
    put({
      ...{ 'b.yml': pool('b'), 'a.yaml': pool('a'), 'c.json': '{"kind":"GslbPool","name":"c"}', 'UP.YAML': pool('up') },
      ...{ 'read.me': 'text', 'a.yaml~': 'text', '.hidden.yaml': ': :' },
      ...{
        'deep/d.yaml': pool('d'),
        'deep/er/e.yaml': pool('e'),
        '.git/config.yaml': ': :',
        'f.yaml/g.yaml': pool('g'),
      },
    }),
  );

  test('is read in the order of names, one level deep', async () => {
    expect(await names()).toEqual(['UP.YAML', 'a.yaml', 'b.yml', 'c.json']);
  });

  test('is read with its subfolders on request', async () => {
    expect(await names(true)).toEqual([
      ...['UP.YAML', 'a.yaml', 'b.yml', 'c.json', 'deep/d.yaml', 'deep/er/e.yaml', 'f.yaml/g.yaml'],
    ]);
  });

  test('follows links to files, and leaves out links to folders, which may form a circle', async () => {
    await symlink(at('read.me'), at('link.yaml'));
    await symlink(folder.path, at('circle.yaml'));
    expect(await names(true)).toContain('link.yaml');
    expect(await names(true)).not.toContain('circle.yaml');
  });

  test('has paths in each file relative to that file', async () => {
    const files = await read(folder.path, true);
    expect(files.find(({ short }) => short === 'deep/d.yaml')).toEqual({
      ...{ path: at('deep/d.yaml'), short: 'deep/d.yaml', folder: at('deep'), text: pool('d') },
    });
  });
});

test('a place in several files is identified by one number', async () => {
  await put({ 'a.yaml': `${pool('a')}---\n${pool('b')}`, 'b.yaml': `# first\n${pool('c')}` });
  const { manifests, faults, lines } = await readManifests(await read(), { env: {}, allowed: 'all' });
  expect(faults).toEqual([]);
  const places = manifests.map(({ name, line, lineOf }) => [name, lines.cell(line), lines.cell(lineOf(['name']))]);
  expect(places).toEqual([
    ['a', 'a.yaml:1', 'a.yaml:2'],
    ['b', 'a.yaml:4', 'a.yaml:5'],
    ['c', 'b.yaml:2', 'b.yaml:3'],
  ]);
  expect(lines.placeOf(0)).toBeUndefined();
});

describe('a fault names its file', () => {
  test.each<[string, Readonly<Record<string, string>>, readonly string[], RegExp]>([
    ['no document', { 'a.yaml': pool('a'), 'b.yaml': '# nothing\n' }, [], /b\.yaml:1: it has no document/],
    ['no YAML', { 'a.yaml': pool('a'), 'b.yaml': 'kind: [\n' }, [], /b\.yaml:2: not YAML/],
    [
      'another field',
      { 'a.yaml': pool('a'), 'b.yaml': `${pool('b')}x: 1\n` },
      [],
      /b\.yaml:3: GslbPool b: "x" is not a/,
    ],
    [
      'twice the same',
      { 'a.yaml': pool('a'), 'b.yaml': `---\n${pool('a')}` },
      [],
      /b\.yaml:2: GslbPool a: it is also in \S+a\.yaml:1: keep one/,
    ],
    ['no file', { 'read.me': 'x', 'in/a.yaml': pool('a') }, [], /has no file that ends in .*; with -R the folders/],
    ['no file at all', { 'read.me': 'x' }, [], /has no file that ends in \.yaml, \.yml or \.json$/m],
  ])('%s', async (_, files, more, message) => {
    await put(files);
    const { exitCode, stderr } = await apply('-f', folder.path, ...more);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  test('that can not be read', async () => {
    await put({ 'a.yaml': pool('a') });
    await symlink(at('gone'), at('b.yaml'));
    const { exitCode, stderr } = await apply('-f', folder.path);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(`${at('b.yaml')} can't be read: there is no such file`),
    ]);
  });

  test('in JSON', async () => {
    await put({ 'a.yaml': pool('a'), 'b.yaml': `\n${pool('b')}x: 1\n` });
    const { stdout } = await apply('-f', folder.path, '--json');
    expect(JSON.parse(stdout).faults).toEqual([
      { file: at('b.yaml'), line: 4, document: 'GslbPool b', message: expect.stringContaining('"x"') },
    ]);
  });

  test('of one file, as before', async () => {
    await put({ 'a.yaml': `${pool('a')}---\n${pool('a')}` });
    const { stderr } = await apply('-f', at('a.yaml'));
    expect(stderr).toContain(`${at('a.yaml')}:4: GslbPool a: it is also on line 1: keep one`);
  });
});

describe('bounds', () => {
  test('of the number of files', async () => {
    await put(Object.fromEntries(Array.from({ length: 1_001 }, (_, each) => [`${each}.yaml`, ''])));
    await expect(read()).rejects.toThrow(/has 1001 files to apply; at most 1000 are read/);
  });

  test('of the total size of all files, with the file that exceeds it', async () => {
    const text = `# ${'x'.repeat(17 * 1024 * 1024)}\n`;
    await put({ 'a.yaml': text, 'b.yaml': text, 'c.yaml': text });
    await expect(read()).rejects.toThrow(/more than 33554432 bytes together, up to \S+b\.yaml$/);
  });
});

test('a pipe is read to its end, although it holds less than the text at any moment', async () => {
  execFileSync('mkfifo', [at('pipe')]);
  const text = `${pool('a')}# ${'x'.repeat(200_000)}\n---\n${pool('b')}`;
  const [[file]] = await Promise.all([read(at('pipe')), writeFile(at('pipe'), text)]);
  expect(file?.text).toBe(text);
});

test('two -f are refused: the second would hide the first, and with --prune delete its objects', async () => {
  await put({ 'a.yaml': pool('a'), 'b.yaml': pool('b') });
  const { exitCode, stderr } = await apply('-f', at('a.yaml'), '-f', at('b.yaml'), '--prune', '--source', 'site');
  expect([exitCode, stderr]).toEqual([64, expect.stringContaining('--file was given twice: it takes one value')]);
});

test.each(['constructor', 'toString', '__proto__'])('%s is not a kind', async (kind) => {
  await put({ 'a.yaml': `kind: ${kind}\nname: a\n` });
  const { exitCode, stderr } = await apply('-f', at('a.yaml'));
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('kind must be one of ')]);
});

test('a folder that can not be read is reported', async () => {
  await put({ 'a.yaml': pool('a'), 'in/b.yaml': pool('b') });
  await chmod(at('in'), 0);
  const reading = read(folder.path, true);
  // The superuser may read everything.
  if (process.getuid?.() === 0) expect(await reading).toHaveLength(2);
  else await expect(reading).rejects.toThrow(`${at('in')} can't be read: EACCES`);
  await chmod(at('in'), 0o700);
});

test('- is standard input, with paths relative to the current folder', async () => {
  const stdin = () => Readable.from([pool('a'), '---\n', pool('b')]);
  const [file] = await readFiles('-', { recursive: false, stdin, ...around });
  expect(file).toEqual({
    ...{ path: 'standard input', short: 'standard input', folder: process.cwd() },
    text: `${pool('a')}---\n${pool('b')}`,
  });
});

test.each([
  ['a variable of the caller', '{ env: CI_DEPLOY_SECRET }', 'allow it with --secret-env CI_DEPLOY_SECRET', ''],
  ['a file, without --secret-folder', '{ file: keys/web.key }', 'name its folder with --secret-folder', ''],
  ['a file elsewhere', '{ file: /etc/hostname }', 'is not in', 'keys'],
  ['a file above', '{ file: keys/../caller.key }', 'is not in', 'keys'],
  ['a folder whose name begins alike', '{ file: keys-of-others/a.key }', 'is not in', 'keys'],
  ['a link out of the folder', '{ file: keys/link.key }', 'is not in', 'keys'],
  ['a file below a link out of the folder', '{ file: keys/deep/caller.key }', 'is not in', 'keys'],
])("a file chooses none of what is the caller's: %s", async (_, source, said, below) => {
  await put({ 'caller.key': 'of the caller', 'keys/web.key': 'of the site', 'keys-of-others/a.key': 'of others' });
  await symlink(at('caller.key'), at('keys/link.key'));
  await symlink(folder.path, at('keys/deep'));
  const options = below === '' ? [] : ['--secret-folder', at(below)];
  const certificate = 'kind: TlsCertificate\nname: web\n';
  // Readers of secrets and of other files, for each field of a kind that has one.
  const texts = [
    `kind: User\nname: ann\npassword: ${source}\n`,
    `kind: DnsBackend\nname: dns\ncredentials: { keySecret: ${source} }\n`,
    `${certificate}chain: PEM\nprivateKey: ${source}\n`,
    ...(source.includes('file') ? [`${certificate}chain: ${source}\nprivateKey: { env: TIDEGATE_SECRET_KEY }\n`] : []),
  ];
  for (const text of texts) {
    await put({ 'wanted.yaml': text });
    const done = await apply('-f', at('wanted.yaml'), ...options);
    expect([text, done]).toEqual([text, { exitCode: 1, stdout: '', stderr: expect.stringContaining(said) }]);
    expect(done.stderr).not.toContain('of the');
  }
  const backend = `- { name: fw, driver: d, host: h, credentials: { username: x, apiToken: ${source} } }\n`;
  await put({ 'backends.yaml': backend });
  const allowed = allowedBy({ 'secret-env': [], 'secret-folder': options[1] });
  const { faults } = await readImportFile(at('backends.yaml'), { env: { CI_DEPLOY_SECRET: 'x' }, allowed });
  expect(faults.map(({ message }) => message)).toEqual([expect.stringContaining(said)]);
});

test('a file may use what the caller allows: TIDEGATE_SECRET_…, --secret-env, and files in --secret-folder, also by links within it', async () => {
  await put({ 'keys/..data/web.key': 'of the site', 'keys/web.pem': 'PEM' });
  await symlink('..data/web.key', at('keys/web.key'));
  const manifest = (password: string) => ({
    ...{ path: 'x', short: 'x', folder: folder.path, text: `kind: User\nname: ann\npassword: ${password}\n` },
  });
  const env = { TIDEGATE_SECRET_ANN: 'by name', OTHER: 'by option' };
  const allowed = allowedBy({ 'secret-env': ['OTHER'], 'secret-folder': at('keys') });
  const read = async (password: string) => {
    const { manifests, faults } = await readManifests([manifest(password)], { env, allowed });
    return [manifests[0]?.fields.password, faults];
  };
  expect(await read('{ env: TIDEGATE_SECRET_ANN }')).toEqual(['by name', []]);
  expect(await read('{ env: OTHER }')).toEqual(['by option', []]);
  expect(await read('{ file: keys/web.key }')).toEqual(['of the site', []]);
});
