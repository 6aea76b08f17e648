// A deletion of what serves traffic asks for the name on a terminal. A script gives --yes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import { GraphServer, goodToken } from '../cli/commands/graph-server.ts';
import { forFile } from '../support/jest/shared.ts';
import { Terminal } from './support/terminal.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const server = forFile(() => GraphServer.start());
const balancer = { __typename: 'LoadBalancer', id: 'LB1', name: 'web' };
const deleted = { loadBalancerDelete: { commit: null, userErrors: [] } };
const deletions = () => server.requests.filter(({ input }) => input !== undefined);

beforeEach(() => {
  server.requests.length = 0;
  server.answers = {
    loadBalancers: () => ({ nodes: [balancer], pageInfo: { hasNextPage: false, endCursor: null } }),
    loadBalancerDelete: () => deleted.loadBalancerDelete,
    node: () => null,
  };
});

const command = (more = '') => `sh ${root}bin/tidegate loadbalancers delete web ${more} --url ${server.url}`;
const env = { ...process.env, TIDEGATE_TOKEN: goodToken };
const onTerminal = () => new Terminal(command(), { rows: 30, columns: 200 }, env);

test('the name is typed, and nothing else will do', async () => {
  const wrong = onTerminal();
  await wrong.shows('This deletes the load balancer web. Its clients get no more answers. Type its name to delete it:');
  wrong.type('Web\r');
  expect(await wrong.ended).toBe(1);
  expect(wrong.output).toContain("'Web' is not 'web': nothing was deleted");
  expect(deletions()).toEqual([]);
  const right = onTerminal();
  await right.shows('Type its name to delete it:');
  right.type('web\r');
  expect(await right.ended).toBe(0);
  expect(right.output).toContain('web is being deleted');
  expect(deletions().length).toBe(1);
});

test('without a terminal it takes --yes', async () => {
  const run = async (more: string) => {
    const child = spawn('sh', ['-c', command(more)], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
    const [code] = await once(child, 'close');
    return { code, text };
  };
  expect(await run('')).toEqual({ code: 64, text: expect.stringContaining('give --yes to delete it') });
  expect(deletions()).toEqual([]);
  expect(await run('--yes')).toEqual({ code: 0, text: 'web is being deleted\n' });
  expect(deletions().length).toBe(1);
});
