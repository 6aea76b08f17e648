import { expect, test } from '@jest/globals';
import { CheckRun, type Entry } from '../../../platform/checks/check-run.ts';
import { FallRise } from '../../../platform/checks/fall-rise.ts';
import { tcpProbe } from '../../../platform/checks/probes/tcp.ts';
import { Slots } from '../../../platform/checks/slots.ts';
import { testEgress } from '../../support/machine/egress.ts';

function entryOf(id: string, is: 'up' | 'closed' | 'silent' = 'up'): Entry {
  const timing = { intervalMs: 5_000, timeoutMs: 1_000 };
  const status = is === 'up' ? 'UP' : 'DOWN';
  return {
    target: { id, probe: 'tcp', parameters: {}, status, revision: '', ...timing },
    probe: tcpProbe as Entry['probe'],
    fallRise: new FallRise(status, { fall: 2, rise: 1 }),
    ...{ shard: 0, phaseMs: 0, dueMs: 0, sampleMs: 0, silent: is === 'silent' },
  };
}

function subject(counts = { slots: 2, silentSlots: 4 }) {
  const clock = { now: 0 };
  const begun: CheckRun[] = [];
  const slots = new Slots({
    ...counts,
    silentAfterMs: 100,
    begin(entry) {
      const run = new CheckRun(entry, testEgress, clock.now);
      begun.push(run);
      return run;
    },
  });
  return { clock, begun, slots, ids: () => begun.map((run) => run.targetId) };
}

test('a free slot goes to the longest waiter at once', () => {
  const { slots, begun, ids } = subject();
  for (const id of ['a', 'b', 'c', 'd']) slots.queue(entryOf(id));
  slots.fill();
  expect(ids()).toEqual(['a', 'b']);
  expect(slots.end(begun[1] as CheckRun)).toBe(true);
  expect(slots.end(begun[1] as CheckRun)).toBe(false);
  slots.fill();
  expect(ids()).toEqual(['a', 'b', 'c']);
});

test('silent checks give up their slots, until the slots for silent checks are full', () => {
  const { slots, clock, ids } = subject();
  for (const id of ['s1', 's2', 's3', 's4', 's5', 's6', 'next']) slots.queue(entryOf(id));
  for (clock.now = 0; clock.now < 500; clock.now += 100) {
    expect(slots.review(clock.now)).toEqual([]);
    slots.fill();
  }
  expect(ids()).toEqual(['s1', 's2', 's3', 's4', 's5', 's6']);
  expect(slots.review(1_000).map((run) => run.targetId)).toEqual(['s1', 's2']);
});

test('in an overloaded process silent checks get their turn too', () => {
  const { slots, ids } = subject({ slots: 64, silentSlots: 64 });
  for (let count = 0; count < 9; count += 1) slots.turn(1_000);
  for (let count = 0; count < 10; count += 1) {
    slots.queue(entryOf(`closed${count}`, 'closed'));
    slots.queue(entryOf(`silent${count}`, 'silent'));
  }
  slots.fill();
  expect(ids()).toEqual(['closed0', 'closed1', 'silent0', 'silent1']);
});

test('checks of answering targets begin, however many targets are known to be silent', () => {
  const { slots, ids } = subject();
  for (let count = 0; count < 10; count += 1) slots.queue(entryOf(`silent${count}`, 'silent'));
  slots.queue(entryOf('healthy'));
  slots.fill();
  expect(ids()).toEqual(['healthy', 'silent0', 'silent1']);
});
