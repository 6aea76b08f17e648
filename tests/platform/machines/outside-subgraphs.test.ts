// Settings of subgraphs that other teams run.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../../platform/process/config.ts';

const rows = [{ name: 'relay', settings: {} }];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-outside-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(yaml: string) {
  const file = join(folder, 'settings.yaml');
  await writeFile(file, yaml);
  return readConfig({ file, env: {} }, rows).outsideSubgraphs;
}

test('a subgraph has a name, URLs and the file of its SDL', async () => {
  expect(
    await read(`subgraphs:
  inventory: { urls: [ https://a.example:4200, https://b.example:4200 ], sdl: inventory.graphql, caFile: ca.pem }
  local: { urls: http://127.0.0.1:4200, sdl: local.graphql }
`),
  ).toEqual([
    {
      name: 'inventory',
      urls: ['https://a.example:4200', 'https://b.example:4200'],
      sdl: 'inventory.graphql',
      caFile: 'ca.pem',
    },
    { name: 'local', urls: ['http://127.0.0.1:4200'], sdl: 'local.graphql' },
  ]);
  expect(await read('subgraphs: { relayUrl: "https://relay.example:4102", relayDeadlineMs: 900 }')).toEqual([]);
});

test('a subgraph can have a deadline for its queries, and the mode with one process at a time', async () => {
  const more = 'deadlineMs: 5000, oneAtATime: true';
  expect(await read(`subgraphs: { inventory: { urls: https://a.example, sdl: x, ${more} } }`)).toEqual([
    { name: 'inventory', urls: ['https://a.example'], sdl: 'x', deadlineMs: 5000, oneAtATime: true },
  ]);
});

test.each([
  ['{ relay: { urls: https://a.example, sdl: x } }', 'the product has a subgraph of this name'],
  ['{ Relay: { urls: https://a.example, sdl: x } }', 'the product has a subgraph of this name'],
  ['{ my_own: { urls: https://a.example, sdl: x } }', 'this is not a name for a subgraph'],
  [`{ ${'x'.repeat(33)}: { urls: https://a.example, sdl: x } }`, 'this is not a name for a subgraph'],
  ['{ inventory: { sdl: x } }', 'subgraphs.inventory.urls'],
  ['{ inventory: { urls: https://a.example } }', 'subgraphs.inventory.sdl'],
  ['{ inventory: { urls: [], sdl: x } }', 'subgraphs.inventory.urls'],
  ['{ inventory: { urls: http://a.example, sdl: x } }', 'http is for loopback addresses only'],
  ['{ inventory: { urls: "ftp://a.example", sdl: x } }', 'subgraphs.inventory.urls'],
  ['{ inventory: { urls: https://a.example, sdl: x, token: y } }', 'there is no such setting'],
  ['{ inventory: { urls: { a: b }, sdl: x } }', 'there is no such setting'],
  ['{ inventory: { urls: https://a.example, sdl: x, deadlineMs: 99 } }', 'subgraphs.inventory.deadlineMs'],
  ['{ inventory: { urls: https://a.example, sdl: x, deadlineMs: 600001 } }', 'subgraphs.inventory.deadlineMs'],
  ['{ inventory: { urls: https://a.example, sdl: x, oneAtATime: perhaps } }', 'subgraphs.inventory.oneAtATime'],
])('%s is refused', async (subgraphs, fault) => {
  await expect(read(`subgraphs: ${subgraphs}\n`)).rejects.toThrow(fault);
});
