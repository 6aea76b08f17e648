// The page's address: the shown load balancer and the open drawer.
import { describe, expect, test } from '@jest/globals';
import { filterFormat } from '../../../../dashboard/src/pages/loadbalancer/filters.ts';

describe('the query string', () => {
  test('has the load balancer and the drawer over it', () => {
    const search = '?balancer=lb1&project=p1&q=app&member=m7';
    const filters = filterFormat.parse(search);
    expect(filters).toEqual({
      projectId: 'p1',
      text: 'app',
      open: { type: 'PoolMember', id: 'm7' },
      shownId: 'lb1',
    });
    expect(filterFormat.format(filters)).toBe(search);
  });

  test('a load balancer is shown when it is opened, in place of the previous one', () => {
    const filters = filterFormat.parse('?balancer=lb1');
    expect(filters).toMatchObject({ shownId: 'lb1', open: null });
    expect(filterFormat.format({ ...filters, open: { type: 'LoadBalancer', id: 'lb2' } })).toBe('?balancer=lb2');
  });

  test('is empty without filters', () => {
    expect(filterFormat.format(filterFormat.parse(''))).toBe('');
  });
});
