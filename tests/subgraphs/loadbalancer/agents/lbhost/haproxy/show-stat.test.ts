// Rows of HAProxy's `show stat` with quoted cells.
import { expect, test } from '@jest/globals';
import {
  numberOf,
  statRowsOf,
  textOf,
} from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/show-stat.ts';

test('cells are found by their column, whatever the quotes contain', () => {
  const rows = statRowsOf(
    '# pxname,svname,scur,last_chk,addr,\np_1,m_1,3,"a, ""b"", c",[2001:db8::1]:80,\np_1,m_2,,,10.0.0.1:80,\n',
  );
  expect(rows).toHaveLength(2);
  const [one, two] = rows as [(typeof rows)[number], (typeof rows)[number]];
  expect([textOf(one, 'last_chk'), textOf(one, 'addr'), numberOf(one, 'scur')]).toEqual([
    ...['a, "b", c', '[2001:db8::1]:80', 3],
  ]);
  expect([textOf(two, 'last_chk'), textOf(two, 'addr'), numberOf(two, 'scur'), textOf(two, 'gone')]).toEqual([
    ...['', '10.0.0.1:80', 0, ''],
  ]);
});
