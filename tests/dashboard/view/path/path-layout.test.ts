// The positions of a path's stops, and the kinds of its lines.
import { describe, expect, test } from '@jest/globals';
import {
  layoutOf,
  type Path,
  type Stop,
  stopWidth,
  withinRoom,
} from '../../../../dashboard/src/view/path/path-layout.ts';

function stop(key: string, patch: Partial<Stop> = {}): Stop {
  return {
    ...{ key, title: key, detail: null, status: null, isDown: false, isOld: false, figures: null, opens: null },
    ...patch,
  };
}

const way = (from: string, to: string, isReserve = false) => ({ from, to, isReserve });

test('steps stand side by side, with their stops stacked around the middle', () => {
  const path: Path = {
    steps: [
      { title: 'Name', stops: [stop('name')] },
      { title: 'Nodes', stops: [stop('a'), stop('b'), stop('c')] },
    ],
    ways: [way('name', 'a'), way('name', 'b'), way('name', 'gone')],
  };
  const { places, lines, width } = layoutOf(path);
  const [name, a, b, c] = ['name', 'a', 'b', 'c'].map((key) => places.get(key));
  expect(a?.x).toBeGreaterThan((name?.x ?? 0) + stopWidth);
  expect([a?.x, b?.x]).toEqual([c?.x, c?.x]);
  expect(name?.y).toBe(b?.y);
  expect((b?.y ?? 0) - (a?.y ?? 0)).toBe((c?.y ?? 0) - (b?.y ?? 0));
  expect(width).toBe((a?.x ?? 0) + stopWidth);
  expect(lines.map(({ key }) => key)).toEqual(['name a', 'name b']);
});

test('a line is down if either end is, old if a host is absent, and otherwise a reserve or good', () => {
  const path: Path = {
    steps: [
      { title: 'One', stops: [stop('one')] },
      { title: 'Two', stops: [stop('up'), stop('down', { isDown: true }), stop('old', { isDown: true, isOld: true })] },
    ],
    ways: [way('one', 'up'), way('one', 'down'), way('one', 'old'), way('one', 'up', true)],
  };
  expect(layoutOf(path).lines.map(({ kind }) => kind)).toEqual(['good', 'down', 'old', 'reserve']);
});

describe('more stops than fit', () => {
  const all = Array.from({ length: 20 }, (_, index) => stop(`m${index}`, { isDown: index >= 18 }));

  test('are counted in the last one, after those that are down', () => {
    const shown = withinRoom(all, 4, 'members');
    expect(shown.map(({ key }) => key)).toEqual(['m18', 'm19', 'm0', 'rest of m0']);
    expect(shown.at(-1)).toMatchObject({ title: '17 more members', detail: 'none of them is down', isDown: false });
  });

  test('show how many of them are down', () => {
    const down = all.map((each) => ({ ...each, isDown: true }));
    expect(withinRoom(down, 4, 'members').at(-1)).toMatchObject({ detail: '17 of them down', isDown: true });
  });

  test('are all shown if they fit', () => {
    expect(withinRoom(all.slice(0, 4), 4, 'members')).toHaveLength(4);
  });
});
