// Finds a machine's cluster by the machine's name.
import { expect, test } from '@jest/globals';
import { clusterOf } from '../../../../subgraphs/object-storage/wire/cluster-names.ts';

const of = (name: string, ...clusters: { name: string; former?: readonly string[] }[]) =>
  clusterOf(clusters, { name })?.name;

test('a machine belongs to the cluster with the longest name that its own begins with', () => {
  const clusters = [{ name: 'north' }, { name: 'north-east' }];
  expect(of('north', ...clusters)).toBe('north');
  expect(of('north-1', ...clusters)).toBe('north');
  expect(of('north-east', ...clusters)).toBe('north-east');
  expect(of('north-east-1', ...clusters)).toBe('north-east');
  expect(of('northern', ...clusters)).toBeUndefined();
});

test('a machine of a deleted cluster belongs to none', () => {
  const north = { name: 'north', former: ['north-east'] };
  expect(of('north-1', north)).toBe('north');
  expect(of('north-eastern', north)).toBe('north');
  expect(of('north-east', north)).toBeUndefined();
  expect(of('north-east-1', north)).toBeUndefined();
  expect(of('north-east-1', north, { name: 'north-east' })).toBe('north-east');
});
