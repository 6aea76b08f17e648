// generated/schema/ is used only together with the files that it was generated from. The bootstrap applies the same check to the same folder.
import { hash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import {
  GeneratedSchemaError,
  hashesPath,
  madeSdlPath,
  readMadeSdl,
  readSupergraph,
  supergraphPath,
} from '../../../platform/graph/generated-schema.ts';
import { forTest } from '../../support/jest/shared.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

const source = 'subgraphs/relay/spec/families.ts';
const written = 'schema/relay.graphql';
const made = madeSdlPath('relay');
const contents = new Map([
  ['tools/compose.ts', ''],
  [source, 'export const families = [];'],
  [written, 'type Query { a: Int }'],
  [made, 'type Mutation { b: Int }'],
  [supergraphPath, 'type Query { a: Int } type Mutation { b: Int }'],
]);

const place = forTest(() => temporaryFolder());
const root = () => pathToFileURL(`${place.path}/`);

beforeEach(async () => {
  for (const [path, content] of contents) await write(path, content);
  await write('schema/api.graphql', 'not read for it');
  await write('schema/breaking.md', 'not read for it');
  const hashes = [...contents].map(([path, content]) => [path, hash('sha256', content)]);
  await write(hashesPath, JSON.stringify(Object.fromEntries(hashes)));
});

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(place.path, path)), { recursive: true });
  await writeFile(join(place.path, path), content);
}

async function isFreshForBoot(): Promise<boolean> {
  const { isSchemaFresh } = await import(join(import.meta.dirname, '../../../bin/boot/generated-schema.mjs'));
  return isSchemaFresh(place.path);
}

test('a result of the present files is read', async () => {
  expect(readSupergraph(root())).toBe(contents.get(supergraphPath));
  expect([...readMadeSdl(root())]).toEqual([['relay', contents.get(made)]]);
  expect(await isFreshForBoot()).toBe(true);
});

test.each<[string, string, () => Promise<void>]>([
  ['a source changed', source, () => write(source, 'export const families = [1];')],
  ['a source is gone', source, () => rm(join(place.path, source))],
  ['the SDL of a subgraph changed', written, () => write(written, 'type Query { a: Int! }')],
  ['there is a new subgraph', 'schema/ipam.graphql', () => write('schema/ipam.graphql', 'type Query { c: Int }')],
  ['the supergraph was edited', supergraphPath, () => write(supergraphPath, 'type Query { a: Int }')],
  ['a made part is gone', made, () => rm(join(place.path, made))],
])('%s: nothing is read', async (_what, path, change) => {
  await change();
  const fault = `generated/schema/ is out of date, because ${path} is not the file that it was made with: npm run compose`;
  expect(() => readSupergraph(root())).toThrow(fault);
  expect(() => readMadeSdl(root())).toThrow(GeneratedSchemaError);
  expect(await isFreshForBoot()).toBe(false);
});

test('a folder without generated files', async () => {
  await rm(join(place.path, 'generated'), { recursive: true });
  expect(() => readSupergraph(root())).toThrow('generated/schema/ is missing: npm run compose');
  expect(await isFreshForBoot()).toBe(false);
});
