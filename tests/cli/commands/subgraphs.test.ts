// `tidegate subgraphs`: the SDL of another team's subgraph is checked against the graph, without a server.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from './run-command.ts';

const inventory = join(import.meta.dirname, '../../../docs/examples/inventory-subgraph/inventory.graphql');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-sdl-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('check prints what the SDL adds', async () => {
  const { exitCode, stdout } = await runCommand(['subgraphs', 'check', inventory]);
  expect(exitCode).toBe(0);
  expect(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .sort(),
  ).toEqual([
    ...[
      '+ CmpObject.rack',
      '+ Mutation.rackInstall',
      '+ Project.racks',
      '+ Query.rack',
      '+ Rack',
      '+ RackInstallInput',
    ],
  ]);
});

test('check prints each fault', async () => {
  const file = join(folder, 'bad.graphql');
  await writeFile(
    file,
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"]) type Query { me: Int! } type Retry { a: Int }',
  );
  const { exitCode, stderr } = await runCommand(['subgraphs', 'check', file]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Query.me is a field of ours');
  expect(stderr).toContain('Retry is a type of ours');
  expect(stderr).toContain('2 faults');
  expect((await runCommand(['subgraphs', 'check', join(folder, 'none')])).stderr).toContain("can't be used");
});

test('the output of base is accepted when a type is added to it', async () => {
  const { stdout } = await runCommand(['subgraphs', 'base']);
  const file = join(folder, 'base.graphql');
  await writeFile(file, `${stdout}\ntype Query { shelf: Project }\n`);
  expect((await runCommand(['subgraphs', 'check', file])).stdout).toContain('+ Query.shelf');
});
