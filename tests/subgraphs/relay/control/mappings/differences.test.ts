// The definition of a difference. The driver declares which lists are sets, and which settings belong to the device.
import { expect, test } from '@jest/globals';
import { differences } from '../../../../../subgraphs/relay/control/mappings/differences.ts';

const paths = (...args: Parameters<typeof differences>) => differences(...args).map(({ path }) => path);

test('the order of a list counts unless it is a set', () => {
  const [wanted, found] = [{ servers: ['b', 'a'] }, { servers: ['a', 'b'] }];
  expect(paths(wanted, found, { lists: { servers: 'ORDERED' } })).toEqual(['servers']);
  expect(paths(wanted, found, { lists: {} })).toEqual(['servers']);
  expect(paths(wanted, found, { lists: { servers: 'SET' } })).toEqual([]);
  expect(paths(wanted, { servers: ['a', 'c'] }, { lists: { servers: 'SET' } })).toEqual(['servers']);
});

test('a set may contain objects, and may be inside another object', () => {
  const pools = [
    { first: 'c', last: 'd' },
    { last: 'b', first: 'a' },
  ];
  const found = {
    subnet: {
      pools: [
        { first: 'a', last: 'b' },
        { first: 'c', last: 'd' },
      ],
    },
  };
  expect(paths({ subnet: { pools } }, found, { lists: { 'subnet.pools': 'SET' } })).toEqual([]);
  expect(paths({ subnet: { pools } }, found, { lists: { pools: 'SET' } })).toEqual(['subnet.pools']);
});

test('an omitted setting is a difference, unless it belongs to the device or is not set', () => {
  const found = { name: 'a', mtu: 1500, message: 'made by hand', comment: '', tags: [], parent: null };
  expect(differences({ name: 'a' }, found, { lists: {}, own: ['mtu'] })).toEqual([
    { path: 'message', wanted: null, found: 'made by hand' },
  ]);
  expect(paths({ name: 'a' }, found, { lists: {} })).toEqual([]);
});
