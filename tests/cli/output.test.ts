// `-o`: every verb that prints rows or objects can print them as a table, in full, as JSON, as YAML, or as names. Short ids are accepted as ids.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { shortId } from '../../cli/short-id.ts';
import { nouns, verbsAlone } from '../../cli/table.ts';
import { encodeId, newUuid } from '../../platform/values/ids.ts';
import { GraphServer, goodToken, pageOf } from './commands/graph-server.ts';
import { runCommand } from './commands/run-command.ts';

let server: GraphServer;
const id = encodeId('RelayOperation', newUuid());
const operation = {
  ...{ id, name: 'rule.create', state: 'SUCCEEDED', createdAt: '2026-01-31T12:00:00.000Z', finishedAt: null },
  ...{
    quietUntil: null,
    stateSource: null,
    settledBy: null,
    requestedBy: { name: 'cmp', kind: 'API_TOKEN' },
    wireCall: null,
  },
  ...{ backend: { name: 'edge' }, cmpObject: null, deviceError: null, evidence: [] },
};

beforeAll(async () => {
  server = await GraphServer.start();
  server.answers = {
    relayOperations: (args: { first: number; after: string | null }) => pageOf([operation], args),
    relayOperation: (args: { id: string }) => (args.id === id ? operation : null),
  };
});
afterAll(() => server.stop());

async function run(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand([...args, '--url', server.url], {
    env: { TIDEGATE_TOKEN: goodToken },
  });
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout;
}

test('a list in every format', async () => {
  const short = shortId(id) ?? '';
  expect(await run('operations', 'list')).toMatch(new RegExp(`^${short} .* edge +rule.create +SUCCEEDED`, 'm'));
  expect(await run('operations', 'list', '-o', 'table')).toBe(await run('operations', 'list'));
  expect(await run('operations', 'list', '-o', 'wide')).toContain(id);
  expect(await run('operations', 'list', '--output', 'name')).toBe(`${id}\n`);
  const json = JSON.parse(await run('operations', 'list', '-o', 'json'));
  expect(json).toMatchObject([{ id, state: 'SUCCEEDED' }]);
  expect(JSON.parse(await run('operations', 'list', '--json'))).toEqual(json);
  expect(parse(await run('operations', 'list', '-o', 'YAML'))).toEqual(json);
});

test('`show` has the short id of the list; short ids and all words for a noun are accepted everywhere', async () => {
  const short = shortId(id) ?? '';
  for (const noun of ['operations', 'operation', 'op'])
    expect(await run(noun, 'show', id)).toMatch(new RegExp(`^Id +${short}$`, 'm'));
  expect(await run('operations', 'show', short)).toMatch(
    new RegExp(`^Audit trail +tidegate audit list --subject ${short}$`, 'm'),
  );
  const wide = await run('operations', 'show', short, '-o', 'wide');
  expect(wide).toMatch(new RegExp(`^Id +${id}$`, 'm'));
  expect(wide).not.toContain(short);
  for (const format of ['json', 'yaml']) expect(await run('operations', 'show', short, '-o', format)).toContain(id);
  expect(await run('operations', 'show', short, '-o', 'name')).toBe(`${id}\n`);
});

test('every verb with --json has --output, and no other option has that name', async () => {
  const loaded = await Promise.all(
    Object.entries(nouns).map(async ([name, entry]) => [name, await entry.load()] as const),
  );
  const alone = await Promise.all(
    Object.entries(verbsAlone).map(async ([name, entry]) => [name, await entry.load()] as const),
  );
  const all = [
    ...loaded.flatMap(([noun, verbs]) => Object.entries(verbs).map(([name, verb]) => [[noun, name], verb] as const)),
    ...alone.map(([name, verb]) => [[name], verb] as const),
  ];
  for (const [words, { options }] of all) {
    expect([words, options.output]).toEqual([words, undefined]);
    const { stdout } = await runCommand([...words, '--help']);
    expect([words, stdout.includes('-o, --output <FORMAT>')]).toEqual([words, options.json !== undefined]);
  }
});
