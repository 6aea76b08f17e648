// Loading code takes most of a start, so each role and command loads only what it needs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { startProgram } from './support/up-process.ts';

/** Only larger packages count. Prisma's client is generated code. */
const heavy = [
  ...['@apollo/gateway', '@prisma/client', 'ajv', 'bullmq', 'fast-xml-parser', 'graphql', 'ioredis', 'jose'],
  ...['mariadb', 'pino-pretty', 'ssh2', 'undici', 'ws', 'yaml'],
];

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder?.remove());

test.each([
  ['a verb of a host of a cluster', ['ha', 'status', '--data', '/nonexistent']],
  ['serve before it starts a role', ['serve', '--roles', 'lbhost', '--print-config']],
  ['a request that is refused before it is sent', ['nodes', 'list', '--url', 'x', '--loadbalancer', 'a']],
])('%s loads no heavy package', async (_name, args) => {
  expect((await loadedBy(args)).filter((name) => heavy.includes(name))).toEqual([]);
});

test('a settings file is read with the parser for it', async () => {
  expect(await loadedBy(['serve', '--config', '/nonexistent', '--print-config'])).toContain('yaml');
});

async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const file = join(folder.path, 'packages');
  const hook = join(import.meta.dirname, 'support', 'note-packages.mjs');
  const { ended, output } = startProgram(args, { NODE_OPTIONS: `--import ${hook}`, PACKAGES_FILE: file });
  const { signal } = await ended;
  if (signal !== null) throw new Error(output());
  return (await readFile(file, 'utf8')).split('\n');
}
