// Queries on sockets. A query that continues after its client completed it still counts, and ends with the socket.
// needs: processes
import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import { SocketExecutions } from '../../../gateway/subscriptions/socket-executions.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { TestGateway } from '../support/gateway.ts';

test('an execution is aborted when its socket closes, and counts until it ends', async () => {
  const executions = new SocketExecutions();
  const socket = new EventEmitter() as unknown as WebSocket;
  const signals: AbortSignal[] = [];
  const ended = ['1', '2'].map((id) =>
    executions.run(
      socket,
      id,
      (signal) =>
        new Promise<void>((resolve) => {
          signals.push(signal);
          signal.addEventListener('abort', () => resolve());
        }),
    ),
  );
  expect(executions.completed(socket, { '1': null, '2': null })).toBe(0);
  expect(executions.completed(socket, { '2': null })).toBe(1);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  socket.emit('close');
  await Promise.all(ended);
  expect(executions.completed(socket, {})).toBe(0);
});

test('queries that a client completes before their answer count towards the operation limit of the socket', async () => {
  await using gateway = await new TestGateway('in-process').start({ socketLimits: { maxSubscriptionsPerSocket: 3 } });
  const client = gateway.client('token-ann', { lazy: false });
  const refusals: unknown[] = [];
  const releases: (() => void)[] = [];
  const ask = () =>
    client.subscribe(
      { query: '{ slow }' },
      { next: () => undefined, error: (error) => refusals.push(error), complete: () => undefined },
    );
  for (let asked = 1; asked <= 3; asked += 1) {
    const cancel = ask();
    await until(() => gateway.world.calls.get('slow') === asked);
    releases.push(gateway.world.release);
    cancel();
  }
  ask();
  await until(() => refusals.length > 0 || gateway.world.calls.get('slow') === 4);
  expect(refusals).toMatchObject([[{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'operations on one socket' } }]]);
  for (const release of releases) release();
  await until(() => gateway.world.slowDone === 3);
  ask();
  await until(() => gateway.world.calls.get('slow') === 4);
  gateway.world.release();
});
