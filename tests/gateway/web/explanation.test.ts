// An explanation of what the gateway would do with an operation, at its endpoint and on the command line. The operation is not executed.
// needs: processes
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { runCommand } from '../../cli/commands/run-command.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
  gateway = await new TestGateway('in-process').start({ limits: { maxDepth: 4, oneMutationSubgraphs: ['alpha'] } });
});

afterAll(async () => {
  await gateway?.stop();
  await folder?.remove();
});

async function explain(body: unknown, token: string | undefined = 'token-ann', method: 'POST' | 'GET' = 'POST') {
  const headers = { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) };
  const sent = method === 'GET' ? {} : { body: JSON.stringify(body) };
  const answer = await request(`${gateway.gateway.url}/graphql/explain`, { method, headers, ...sent });
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
  return { status: answer.statusCode, body: (await answer.body.json()) as any };
}

const withPrice = `query Costs($first: Int = 3, $percent: Int!) {
  list: things(first: $first) { nodes { id title: name cut: discount(percent: $percent) } }
}`;

test("the plan has the client's names, and each limit shows the operation's use of it", async () => {
  const { status, body } = await explain({ query: withPrice, variables: { percent: 5 } });
  expect(status).toBe(200);
  expect(body.data.operation).toEqual({
    kind: 'query',
    name: 'Costs',
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    isPublished: false,
  });
  expect(body.data.refusal).toBeNull();
  const figures = new Map(body.data.limits.map((each: { limit: string }) => [each.limit, each]));
  expect(figures.get('depth')).toEqual({ limit: 'depth', requested: 3, most: 4 });
  expect(figures.get('aliases')).toMatchObject({ requested: 3 });
  const asked = await gateway.query(withPrice, { percent: 5 });
  const { requested, limit: most } = asked.body.extensions.cost;
  expect(figures.get('cost')).toEqual({ limit: 'cost', requested, most });
});

test('nothing is executed', async () => {
  const before = gateway.world.totalCalls();
  const { body } = await explain({ query: 'mutation { slowSet }' });
  expect(body.data.plan).toMatchObject({ subgraph: 'beta', request: expect.stringContaining('slowSet') });
  await explain({ query: withPrice, variables: { percent: 5 } });
  expect(gateway.world.totalCalls()).toBe(before);
});

test('parallel requests, sequential requests, and places', async () => {
  const { body } = await explain({ query: withPrice.replace('list:', 'prices list:'), variables: { percent: 5 } });
  const text = JSON.stringify(body.data.plan);
  expect(text).toContain('"at":["list.nodes[]"]');
  expect(text).toContain('cut: discount(percent: $percent)');
  expect(text).toContain('title: name');
  expect(text).toContain('"atOnce"');
  expect(text).toContain('"inOrder"');
});

test('a subscription has a plan', async () => {
  const { body } = await explain({ query: 'subscription { thingChanges { cursor thing { price } } }' });
  expect(body.data.plan.inOrder.map(({ subgraph }: { subgraph: string }) => subgraph)).toEqual(['alpha', 'beta']);
});

test.each([
  ['{ thing(id: "1") { parent { parent { parent { id } } } } }', 'LIMIT_EXCEEDED'],
  ['mutation { a: thingCreate(name: "a") { id } b: thingCreate(name: "b") { id } }', 'LIMIT_EXCEEDED'],
])('an operation that would be refused gets the reason and no plan: %s', async (query, code) => {
  const { status, body } = await explain({ query });
  expect([status, body.data.plan]).toEqual([200, null]);
  expect(body.data.refusal).toMatchObject({ code, message: expect.any(String) });
});

test.each([
  [{ query: '{ nothing }' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
  [{ query: '{' }, 400, 'GRAPHQL_PARSE_FAILED'],
  [{ query: '{ prices }', operationName: 'Other' }, 400, 'OPERATION_RESOLUTION_FAILURE'],
  [{ query: withPrice }, 400, 'INVALID_INPUT'],
  [{ query: '{ prices }', extensions: {} }, 400, 'INVALID_INPUT'],
  [{ query: '' }, 400, 'INVALID_INPUT'],
  [['{ prices }'], 400, 'INVALID_INPUT'],
])('bad input is refused: %j', async (body, status, code) => {
  const answer = await explain(body);
  expect(answer.status).toBe(status);
  expect(answer.body.errors[0].extensions.code).toBe(code);
});

test('an explanation needs a login and a POST', async () => {
  expect(await explain({ query: '{ prices }' }, '')).toMatchObject({
    status: 401,
    body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  });
  expect((await explain({ query: '{ prices }' }, 'wrong')).status).toBe(401);
  expect((await explain(undefined, 'token-ann', 'GET')).status).toBe(405);
});

test('the command line shows the same', async () => {
  const env = { TIDEGATE_TOKEN: 'token-ann', TIDEGATE_URL: `${gateway.gateway.url}/graphql` };
  const file = join(folder.path, 'costs.graphql');
  await writeFile(file, `${withPrice} query Other { prices }`);
  const tried = (...args: string[]) => runCommand(['explain', file, ...args], { env });
  const { exitCode, stdout } = await tried('--operation', 'Costs', '--variables', '{"percent": 5}');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Operation {2}query Costs$/m);
  expect(stdout).toMatch(/^depth +3 +4$/m);
  expect(stdout).toMatch(/^1 alpha$/m);
  expect(stdout).toMatch(/^2 beta, for list\.nodes\[\]$/m);
  const json = await tried('--operation', 'Other', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ operation: { name: 'Other' }, plan: { subgraph: 'beta' } });
  expect(await tried()).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('--operation (Costs, Other)') });
  expect(await tried('--operation', 'None')).toMatchObject({ exitCode: 1 });
  expect(await tried('--operation', 'Other', '--variables', '[]')).toMatchObject({ exitCode: 64 });
  await writeFile(file, '{ thing(id: "1") { parent { parent { parent { id } } } } }');
  expect(await tried()).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^tidegate: LIMIT_EXCEEDED: .*depth.* The table above shows each limit/),
  });
  await writeFile(file, '{ prices ');
  expect(await tried()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('costs.graphql:1:') });
});
