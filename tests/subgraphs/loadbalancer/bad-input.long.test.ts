// The answers to bad input, for every mutation of the load balancer.
import { expect, test } from '@jest/globals';
import { badInput } from '../support/bad-input.ts';
import { loadBalancer, owner } from './contract.ts';

const run = badInput(loadBalancer);

test('all errors of a tree are reported at once, and nothing is created', async () => {
  const before = await run.state();
  const { faults } = await run.send(owner, 'loadBalancerCreate', {
    ...{ name: 'Bad', minNodes: 0, subnetId: 'a\u0007b' },
    pools: [{ name: 'p', memberProtocol: 'HTTP', drainMs: -1, members: [{ host: 'no host', port: 80, weight: 300 }] }],
    listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'q', connectionLimit: 0 }],
  });
  expect([...faults].sort()).toEqual([
    'INVALID_INPUT input.listeners.0.connectionLimit',
    'INVALID_INPUT input.listeners.0.defaultPool',
    'INVALID_INPUT input.minNodes',
    'INVALID_INPUT input.name',
    'INVALID_INPUT input.pools.0.drainMs',
    'INVALID_INPUT input.pools.0.members.0.host',
    'INVALID_INPUT input.pools.0.members.0.weight',
    'NOT_FOUND input.subnetId',
  ]);
  expect(await run.state()).toEqual(before);
});

test('a request with the key of a since deleted object gets its first answer', async () => {
  const input = {
    loadBalancerId: run.world.names.loadBalancer,
    memberProtocol: 'HTTP',
    name: 'keyed',
    idempotencyKey: 'k',
  };
  const first = await run.send(owner, 'poolCreate', input);
  expect(await run.send(owner, 'poolCreate', input)).toMatchObject({
    faults: [],
    content: { pool: first.content.pool },
  });
  const removal = { id: (first.content.pool as { id: string }).id, idempotencyKey: 'd' };
  for (const _ of [1, 2]) expect((await run.send(owner, 'poolDelete', removal)).faults).toEqual([]);
});
