// Status changes in words, with the new state first, and phrases instead of the graph's values.
import { expect, test } from '@jest/globals';
import { changeWords, formatPresence } from '../../../dashboard/src/view/event-words.ts';

const change = (kind: string, from: string | null, to: string) => ({ kind, from, to });

test.each([
  [change('backend.operatingStatus', 'ONLINE', 'OFFLINE'), ['offline', 'online', 'operating status']],
  [change('gslbPoolMember.operatingStatus', 'ONLINE', 'ONLINE'), ['online', null, 'operating status']],
  [change('loadBalancerNode.dns', 'IN', 'OUT'), ['removed from DNS', null, '']],
  [change('loadBalancerNode.step', 'CHECKED', 'IN_DNS'), ['added to DNS', null, '']],
  [change('loadBalancerNode.decision', null, 'TAKE_BACK'), ['returned to service', null, '']],
  [change('gslb.answer', 'CHANGED', 'CHANGED'), ['answer changed', null, '']],
  [change('gslbChecker.state', 'PRESENT', 'ABSENT'), ['not connected', 'connected', '']],
  [change('alert.state', 'FIRING', 'RESOLVED'), ['resolved', 'firing', 'alert']],
])('%p', (given, [to, from, aspect]) => {
  expect(changeWords(given, undefined)).toEqual({ to, from, aspect });
});

test('a plain change needs no aspect', () => {
  expect(changeWords(change('relayOperation.state', 'SENT', 'SUCCEEDED'), 'relayOperation.state')).toEqual({
    ...{ to: 'succeeded', from: 'sent', aspect: '' },
  });
});

test('machines are connected or not', () => {
  expect(['PRESENT', 'ABSENT', 'ABSTAINING'].map(formatPresence)).toEqual(['connected', 'not connected', 'abstaining']);
});
