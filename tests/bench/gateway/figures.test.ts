// The figures that the gateway's benchmark computes from its rounds.
import { expect, test } from '@jest/globals';
import { figuresOf, medianCpuMs, ratioOf } from '../../../bench/gateway/figures.ts';

const turns = (...cpuMs: number[]) => cpuMs.map((each) => ({ cpuMs: each, requestsPerSecond: 1000 / each }));
const rounds = new Map([
  ['ours', turns(1, 2, 3)],
  ['peer', turns(2, 8, 4)],
]);

test('a ratio compares two gateways within the median round', () => {
  expect(ratioOf(rounds, 'ours', 'peer')).toBe(0.5);
  expect(ratioOf(rounds, 'peer', 'ours')).toBe(2);
});

test('a gateway or workload that did not run has no figure', () => {
  expect(ratioOf(rounds, 'ours', 'grafbase')).toBeUndefined();
  expect(ratioOf(undefined, 'ours', 'peer')).toBeUndefined();
  expect(medianCpuMs(rounds, 'grafbase')).toBeUndefined();
});

test('each gateway has its median and its spread', () => {
  expect(figuresOf(rounds)).toEqual({
    ours: { cpuMs: 2, spread: [1, 3], perSecond: 500 },
    peer: { cpuMs: 4, spread: [2, 8], perSecond: 250 },
  });
});
