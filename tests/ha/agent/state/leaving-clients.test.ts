// Clients during a switchover. They are shut out once, the wait for them does not block, and they are let in once the address has moved or
// stays.
import { beforeEach, expect, test } from '@jest/globals';
import { LeavingClients } from '../../../../ha/agent/state/leaving-clients.ts';

let nowMs: number;
let told: string[];
let warnings: string[];
let leaving: PromiseWithResolvers<void>;
let stays: () => Promise<void>;
let clients: LeavingClients;

beforeEach(() => {
  nowMs = 10_000;
  [told, warnings] = [[], []];
  leaving = Promise.withResolvers<void>();
  stays = async () => undefined;
  clients = new LeavingClients({
    clients: {
      leave: () => {
        told.push('leave');
        return leaving.promise;
      },
      stay: () => {
        told.push('stay');
        return stays();
      },
    },
    log: { warn: (text) => warnings.push(text) },
    nowMs: () => nowMs,
    onLeft: () => told.push('left'),
  });
});

/** Resolves after all settled promises have been handled. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('clients are notified once, and have left when they confirm it', async () => {
  expect([clients.haveLeft(), clients.haveLeft()]).toEqual([false, false]);
  expect(told).toEqual(['leave']);
  leaving.resolve();
  await settled();
  expect(told).toEqual(['leave', 'left']);
  expect(clients.haveLeft()).toBe(true);
});

test('clients that cannot be sent away do not delay a switchover', async () => {
  clients.haveLeft();
  leaving.reject(new Error('no such table'));
  await settled();
  expect(clients.haveLeft()).toBe(true);
  expect(warnings).toEqual(['ha: clients are connected while the address moves: Error: no such table']);
});

test('clients are let in when a switchover is abandoned, and a later switchover sends them away again', async () => {
  clients.haveLeft();
  clients.decided({ kind: 'close' }, nowMs);
  expect(told).toEqual(['leave']);
  clients.decided({ kind: 'detach' }, nowMs);
  clients.decided({ kind: 'release' }, nowMs);
  expect(told).toEqual(['leave', 'stay']);
  expect(clients.haveLeft()).toBe(false);
  expect(told).toEqual(['leave', 'stay', 'leave']);
});

test('after a hand-over clients stay out until the address has moved', () => {
  clients.haveLeft();
  clients.decided({ kind: 'hand-over' }, nowMs);
  clients.handedOver();
  clients.decided({ kind: 'start' }, nowMs + 1_999);
  expect(told).toEqual(['leave']);
  clients.decided({ kind: 'wait' }, nowMs + 2_000);
  expect(told).toEqual(['leave', 'stay']);
});

test('without a switchover no step lets clients in', () => {
  clients.decided({ kind: 'wait' }, nowMs);
  expect(told).toEqual([]);
});

test('a failure to let clients in is logged as a warning', async () => {
  stays = async () => Promise.reject(new Error('no such table'));
  clients.letIn();
  await settled();
  expect(warnings).toEqual(['ha: clients are not let in: Error: no such table']);
});

test('a host without clients does not wait', () => {
  const none = new LeavingClients({
    ...{ clients: undefined, log: { warn: (text) => warnings.push(text) }, nowMs: () => nowMs },
    onLeft: () => told.push('left'),
  });
  expect(none.haveLeft()).toBe(true);
  none.letIn();
  expect([told, warnings]).toEqual([[], []]);
});
