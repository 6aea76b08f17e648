// Servers with drawn answers are in step even if they differ. Others are compared as sets.
import { expect, test } from '@jest/globals';
import { drawOf, drawWords, isInStep } from '../../../../dashboard/src/pages/gslb/server-standing.ts';

const kept = (name: string, address: string) => ({
  ...{ id: name, reason: null },
  member: { id: name, name, addresses: [address], cname: null },
});
const answer = (...addresses: string[]) => ({
  ...{ outcome: 'RECORDS' as const, scopeBits: 0 },
  records: addresses.map((data) => ({ type: 'A' as const, data, ttlSeconds: 30 })),
});
const both = [kept('eu', '198.51.100.21'), kept('ap', '198.51.100.23')];
const steps = [
  { step: 'UP', kept: both, left: [] },
  { step: 'WEIGHTED', kept: both, left: [] },
  { step: 'FIRST', kept: both.slice(0, 1), left: [] },
];

test('a weighted draw: each server may answer with either member', () => {
  const draw = drawOf(steps);
  expect(draw && drawWords(draw)).toBe('drawn by weight among eu, ap');
  const planned = answer('198.51.100.21');
  expect(isInStep({ answered: answer('198.51.100.23'), planned }, draw)).toBe(true);
  expect(isInStep({ answered: answer('198.51.100.29'), planned }, draw)).toBe(false);
  expect(isInStep({ answered: null, planned }, draw)).toBeNull();
});

test('without a draw the answer must be that of the plan, in any order', () => {
  expect(drawOf(steps.slice(0, 1))).toBeUndefined();
  const planned = answer('198.51.100.21', '198.51.100.23');
  expect(isInStep({ answered: answer('198.51.100.23', '198.51.100.21'), planned }, undefined)).toBe(true);
  expect(isInStep({ answered: answer('198.51.100.23'), planned }, undefined)).toBe(false);
  expect(isInStep({ answered: answer('198.51.100.23'), planned: null }, undefined)).toBeNull();
});

test('a single member is not drawn', () => {
  expect(drawOf([{ step: 'WEIGHTED', kept: both.slice(0, 1), left: [] }])).toBeUndefined();
});
