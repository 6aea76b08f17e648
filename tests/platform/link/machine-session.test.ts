// Shared parts of machine connections: when each message is sent, which documents a machine has, and how long it has been silent.
import { expect, jest, test } from '@jest/globals';
import pino from 'pino';
import type { LinkPeer } from '../../../platform/link/link-server.ts';
import { MachineSession } from '../../../platform/link/machine-session.ts';
import { SentDocuments } from '../../../platform/link/sent-documents.ts';
import { SilentMachines } from '../../../platform/link/silent-machines.ts';
import { createLocalWake } from '../../../platform/work/wake.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { otherHistory, testHistory } from '../../support/stores/histories.ts';

const at = (number: number, history = testHistory) => ({ position: { history, number } });

test('the documents of a machine are compared by history and number', () => {
  const sent = new SentDocuments([
    ['same', at(3)],
    ['older', at(2)],
    ['other', at(3, otherHistory)],
    ['gone', at(1)],
  ]);
  const wanted = ['same', 'older', 'other', 'new'].map((key) => ({ key, ...at(3) }));
  expect(sent.takeGone(wanted)).toEqual(['gone']);
  expect(sent.takeGone(wanted)).toEqual([]);
  expect(sent.ahead(wanted)).toBeUndefined();
  expect(sent.lacking(wanted).map(({ key }) => key)).toEqual(['older', 'other', 'new']);
  sent.set('older', at(4));
  expect(sent.ahead(wanted)).toEqual({ key: 'older', ...at(3), has: at(4).position });
  sent.forget('older');
  expect(sent.ahead(wanted)).toBeUndefined();
});

test('a machine counts as silent since its last new sign, without the time in which nothing checked', () => {
  jest.useFakeTimers({ now: 0 });
  try {
    const silent = new SilentMachines(100);
    const look = (sign: number) => silent.look([{ id: 'a', sign }]).get('a');
    expect(look(1)).toBe(0);
    jest.advanceTimersByTime(100);
    expect(look(1)).toBe(100);
    jest.advanceTimersByTime(100);
    expect(look(2)).toBe(0);
    // The process hung, or had no database.
    jest.advanceTimersByTime(60_000);
    expect(look(2)).toBeLessThanOrEqual(350);
    silent.look([]);
    expect(look(2)).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test('a wake-up of a followed topic, and of no other, makes a session send; its end is recorded once it has ended', async () => {
  const wake = createLocalWake();
  const done: string[] = [];
  const sent: string[] = [];
  class Session extends MachineSession {
    override follow(topics: string[]): void {
      super.follow(topics);
    }
    protected async send(): Promise<boolean> {
      done.push('send');
      this.sendWhole();
      return false;
    }
    protected async recordEnd(): Promise<void> {
      done.push('end');
      throw new Error('the database is away');
    }
  }
  const peer = { machine: { id: 'x', name: 'north' }, send: ({ type }: { type: string }) => sent.push(type) };
  const session = new Session({
    ...{ peer: peer as unknown as LinkPeer, epoch: 7, noun: 'host', what: 'nodes', wake, pauseMs: 3_600_000 },
    log: pino({ level: 'silent' }),
  });
  session.follow(['a', 'b']);
  session.begin();
  await waitFor('the first look', () => done.length === 1);
  session.follow(['b']);
  wake.notify('a');
  wake.notify('b');
  await waitFor('the second look', () => done.length === 2);
  await session.closed();
  wake.notify('b');
  expect(done).toEqual(['send', 'send', 'end']);
  expect(sent).toEqual(['whole']);
});
