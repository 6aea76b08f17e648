// The page's address: the shown load balancer, the open drawer, and the figures of a decision.
import { describe, expect, test } from '@jest/globals';
import { filterFormat } from '../../../../dashboard/src/pages/loadbalancer/filters.ts';
import { figuresIn } from '../../../../dashboard/src/pages/loadbalancer/scaling-figures.ts';

describe('the query string', () => {
  test('has the load balancer and the drawer over it', () => {
    const search = '?balancer=lb1&project=p1&q=app&member=m7';
    const filters = filterFormat.parse(search);
    expect(filters).toEqual({
      projectId: 'p1',
      text: 'app',
      open: { type: 'Member', id: 'm7' },
      shownId: 'lb1',
    });
    expect(filterFormat.format(filters)).toBe(search);
  });

  test('a load balancer is shown when it is opened, in place of the one before', () => {
    const filters = filterFormat.parse('?balancer=lb1');
    expect(filters).toMatchObject({ shownId: 'lb1', open: null });
    expect(filterFormat.format({ ...filters, open: { type: 'LoadBalancer', id: 'lb2' } })).toBe('?balancer=lb2');
  });

  test('is empty without filters', () => {
    expect(filterFormat.format(filterFormat.parse(''))).toBe('');
  });
});

describe('figures of a decision', () => {
  test('are read from its inputs', () => {
    const at = '2026-01-31T12:00:00.000Z';
    expect(
      figuresIn([
        { node: 'a', percent: 81.5, at, warming: false },
        { node: null, percent: null },
      ]),
    ).toEqual([
      { key: '0 a', node: 'a', percent: 81.5, at, warming: false },
      { key: '1 ', node: null, percent: null, at: null, warming: false },
    ]);
  });

  test.each([[null], ['x'], [{}], [[null, 1, 'x']]])('what is none is left out: %j', (inputs) => {
    expect(figuresIn(inputs)).toEqual([]);
  });
});
