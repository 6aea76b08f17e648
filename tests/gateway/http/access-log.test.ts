// What an operator sees of the requests at a gateway: the access log, the slow log, and the times of subgraphs.
// needs: processes
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { SlowLog } from '../../../platform/log/slow-log.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { TestGateway } from '../support/gateway.ts';
import { sha256 } from '../support/published-subgraph.ts';

interface Line {
  readonly msg: string;
  readonly requestId: string;
  readonly slow?: string;
  readonly ms: number;
  readonly parts: Readonly<Record<string, number>>;
}

const lines: Line[] = [];
const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
const slow = new SlowLog({ log: log.child({}, { level: 'info' }), slowMs: 0.001 });
const gateway = await new TestGateway('HTTP').start({ log, slow, accessLog: true });
const quiet = await new TestGateway('in-process').start({ log });
afterAll(async () => {
  await gateway.stop();
  await quiet.stop();
});
beforeEach(() => {
  lines.length = 0;
});

const query = 'query Named($id: ID!) { thing(id: $id) { id price hidden: name } }';
const variables = { id: 'secret-7' };

async function lineOf(requestId: unknown): Promise<Line> {
  const found = () => lines.find((line) => line.msg === 'request' && line.requestId === requestId);
  await until(() => found() !== undefined);
  return found() as Line;
}

test('a query has one line with its caller, its operation, the time of each part, and bytes', async () => {
  const { headers } = await gateway.query(query, variables);
  const line = await lineOf(headers['x-request-id']);
  expect(line).toMatchObject({
    ...{ level: 30, method: 'POST', path: '/graphql', status: 200, caller: 'user', callerId: 'id-ann' },
    ...{ kind: 'query', operation: 'Named', hash: sha256(query), bytes: Number(headers['content-length']) },
  });
  expect(Object.keys(line.parts)).toEqual(['read', 'parse', 'plan', 'fetch', 'serialise']);
  const sum = Object.values(line.parts).reduce((one, other) => one + other, 0);
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThanOrEqual(line.ms + 0.1);
  expect(lines.filter(({ msg }) => msg === 'request')).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toMatch(/secret-7|hidden|token-ann/);
});

test('the query string of a GET is in no line', async () => {
  const { headers } = await gateway.get({ query, variables: JSON.stringify(variables) });
  const line = await lineOf(headers['x-request-id']);
  expect(line).toMatchObject({ method: 'GET', path: '/graphql', status: 200, operation: 'Named' });
  expect(Object.keys(line.parts)).toContain('serialise');
  expect(JSON.stringify(lines)).not.toMatch(/secret-7|hidden/);
});

test('a refused request has its status, and no operation', async () => {
  const { headers, status } = await gateway.post({ query: '{ nonsense }' });
  const line = await lineOf(headers['x-request-id']);
  expect(line).toMatchObject({ status });
  expect(line).not.toHaveProperty('operation');
  expect(line).not.toHaveProperty('caller');
  const answer = await fetch(`${gateway.gateway.url}/nothing?q=secret`);
  expect(await lineOf(answer.headers.get('x-request-id'))).toMatchObject({ path: '/nothing', status: 404 });
});

test('a slow operation and its requests to subgraphs have a line each', async () => {
  const { headers } = await gateway.query(query, variables);
  const requestId = headers['x-request-id'];
  await lineOf(requestId);
  const ofRequest = lines.filter((line) => line.requestId === requestId && line.slow !== undefined);
  expect(ofRequest).toMatchObject([
    { slow: 'subgraph fetch', subgraph: 'alpha' },
    { slow: 'subgraph fetch', subgraph: 'beta' },
    { slow: 'gateway operation', kind: 'query', operation: 'Named', hash: sha256(query), status: 200 },
  ]);
  const text = await gateway.registry.metrics();
  for (const subgraph of ['alpha', 'beta'])
    expect(text).toMatch(new RegExp(`^tidegate_gateway_subgraph_seconds_count\\{subgraph="${subgraph}"\\} [1-9]`, 'm'));
  expect(text).toMatch(/^tidegate_gateway_operations_total\{operation="other"\} [1-9]/m);
});

test('without the settings, nothing is logged', async () => {
  expect((await quiet.query(query, variables)).status).toBe(200);
  expect(lines).toEqual([]);
});
