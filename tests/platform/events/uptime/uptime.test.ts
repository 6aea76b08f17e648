// The uptime of a subject, from given changes, with edge cases: retention, clock steps, and absences of the product.
import { describe, expect, test } from '@jest/globals';
import { hoursOf, type Transition, uptimeOf } from '../../../../platform/events/uptime/uptime.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** 12:30 UTC. */
const nowMs = Date.UTC(2026, 10, 28, 12, 30);

function day(given: {
  transitions?: readonly Transition[];
  completeSinceMs?: number;
  isWhole?: boolean;
  status?: string | null;
  judgedIn?: readonly { readonly fromMs: number; readonly untilMs: number }[];
}) {
  return uptimeOf('DAY', {
    ...{ transitions: [], completeSinceMs: 0, status: 'ONLINE', nowMs },
    ...{ judgedIn: [{ fromMs: 0, untilMs: nowMs }], ...given },
  });
}

/** A change, this many hours before now. */
function change(hours: number, from: string | null, to: string): Transition {
  return { atMs: nowMs - hours * hourMs, from, to };
}

describe('windows', () => {
  test.each([
    ['DAY', 24, '2026-11-27T13:00:00.000Z'],
    ['WEEK', 28, '2026-11-21T18:00:00.000Z'],
    ['MONTH', 30, '2026-10-30T00:00:00.000Z'],
  ] as const)('%s has %i slots and begins at the start of a slot', (window, count, startedAt) => {
    const uptime = uptimeOf(window, {
      ...{ transitions: [], completeSinceMs: 0, status: 'ONLINE', nowMs, judgedIn: [{ fromMs: 0, untilMs: nowMs }] },
    });
    expect(uptime.slots).toHaveLength(count);
    expect(uptime.startedAt.toISOString()).toBe(startedAt);
    expect(uptime).toMatchObject({ upPercent: 100, knownPercent: 100, downCount: 0 });
    expect(uptime.slots.at(-1)).toMatchObject({ state: 'UP', knownPercent: 100 });
  });
});

describe('without a change in the window', () => {
  test('the current status applies to all of it', () => {
    expect(day({ status: 'ERROR' })).toMatchObject({ upPercent: 0, knownPercent: 100, downCount: 1 });
    expect(day({ status: 'DEGRADED' })).toMatchObject({ upPercent: 100 });
  });

  test.each(['UNKNOWN', 'NO_MONITOR', 'DRAINING', null])('%s is neither up nor down', (status) => {
    const uptime = day({ status });
    expect(uptime).toMatchObject({ upPercent: null, knownPercent: 0, knownSince: null, downCount: 0 });
    expect(uptime.slots.every(({ state }) => state === 'UNKNOWN')).toBe(true);
  });
});

test.each([
  ['its last change', { transitions: [change(3, 'ERROR', 'ONLINE'), change(5, 'ONLINE', 'ERROR')] }, 3],
  ['another reason is no change', { transitions: [change(1, 'ERROR', 'ERROR'), change(4, 'ONLINE', 'ERROR')] }, 4],
  ['its creation', { completeSinceMs: nowMs - 9 * hourMs, isWhole: true }, 9],
  ['what is no longer kept', { completeSinceMs: nowMs - 9 * hourMs }, null],
])('it has its status since %s', (_, given, hours) => {
  expect(day(given).statusSince).toEqual(hours === null ? null : new Date(nowMs - hours * hourMs));
});

test('an outage appears in its slots and in the percentage', () => {
  const uptime = day({ transitions: [change(3, 'ERROR', 'ONLINE'), change(5, 'ONLINE', 'ERROR')] });
  // From 07:30 to 09:30.
  expect(uptime.slots.map(({ state }) => state).lastIndexOf('DOWN')).toBe(20);
  expect(uptime.slots.filter(({ state }) => state === 'DOWN')).toHaveLength(3);
  expect(uptime.slots[18]).toMatchObject({ state: 'DOWN', upPercent: 50 });
  expect(uptime).toMatchObject({ downCount: 1, knownPercent: 100 });
  expect(uptime.upPercent).toBe(Math.floor((100_000 * 21.5) / 23.5) / 1_000);
});

test('the shortest outage gives less than 100 percent', () => {
  const transitions = [
    { atMs: nowMs - hourMs + 1, from: 'ERROR', to: 'ONLINE' },
    { atMs: nowMs - hourMs, from: 'ONLINE', to: 'ERROR' },
  ];
  expect(day({ transitions })).toMatchObject({ upPercent: 99.999, downCount: 1 });
});

test('ERROR and OFFLINE one after the other count as one outage', () => {
  const transitions = [change(1, 'OFFLINE', 'ONLINE'), change(2, 'ERROR', 'OFFLINE'), change(3, 'ONLINE', 'ERROR')];
  expect(day({ transitions })).toMatchObject({ downCount: 1 });
});

describe('the known time', () => {
  test('begins with the oldest kept event, and the percentage refers to it', () => {
    const uptime = day({
      completeSinceMs: nowMs - 4 * hourMs,
      transitions: [change(1, 'ONLINE', 'ERROR')],
      status: '',
    });
    expect(uptime).toMatchObject({ upPercent: 75, knownSince: new Date(nowMs - 4 * hourMs) });
    expect(uptime.knownPercent).toBeCloseTo((100 * 4) / 23.5, 2);
    expect(uptime.slots.filter(({ state }) => state === 'UNKNOWN')).toHaveLength(19);
    // From 08:30 to 09:00, in the slot that begins at 08:00.
    expect(uptime.slots[19]).toMatchObject({ state: 'UP', knownPercent: 50, upPercent: 100 });
  });

  test('begins with the first status', () => {
    expect(day({ transitions: [change(2, null, 'ONLINE')] })).toMatchObject({
      ...{ upPercent: 100, knownSince: new Date(nowMs - 2 * hourMs) },
    });
  });

  test('nothing is known of a subject that was created after now, according to a clock that was set back', () => {
    expect(day({ completeSinceMs: nowMs + hourMs })).toMatchObject({ upPercent: null, knownPercent: 0, downCount: 0 });
  });

  test('a status from before the window counts inside it', () => {
    expect(day({ transitions: [change(100, 'ONLINE', 'ERROR')] })).toMatchObject({ upPercent: 0, downCount: 1 });
  });
});

describe('steps of the clock', () => {
  test('a change that seems later than its successor took no time', () => {
    const transitions = [change(5, 'ERROR', 'ONLINE'), change(2, 'ONLINE', 'ERROR')];
    expect(day({ transitions })).toMatchObject({ upPercent: 100, knownPercent: 100 });
  });

  test('a change after now counts from now', () => {
    expect(day({ transitions: [change(-3, 'ONLINE', 'ERROR')] })).toMatchObject({ upPercent: 100, downCount: 0 });
  });
});

describe('absences of the product', () => {
  const judgedIn = [
    { fromMs: 0, untilMs: nowMs - 10 * hourMs },
    { fromMs: nowMs - 4 * hourMs, untilMs: nowMs },
  ];

  test('are neither up nor down', () => {
    const uptime = day({ judgedIn });
    expect(uptime).toMatchObject({ upPercent: 100, downCount: 0 });
    expect(uptime.knownPercent).toBeCloseTo((100 * 17.5) / 23.5, 2);
    expect(uptime.slots.filter(({ state }) => state === 'UNKNOWN')).toHaveLength(5);
  });

  test('a status that was down before is not assumed to have stayed down', () => {
    const transitions = [change(4, 'ERROR', 'ONLINE'), change(11, 'ONLINE', 'ERROR')];
    const uptime = day({ judgedIn, transitions });
    expect(uptime.downCount).toBe(1);
    expect(uptime.upPercent).toBe(Math.floor((100_000 * 16.5) / 17.5) / 1_000);
  });
});

test('the slots of a window cover all of its known time', () => {
  const transitions = [change(3.3, 'ERROR', 'ONLINE'), change(29.7, 'ONLINE', 'ERROR'), change(60, null, 'ONLINE')];
  const judged = { transitions, completeSinceMs: nowMs - 60 * hourMs, status: 'ONLINE', nowMs };
  const uptime = uptimeOf('WEEK', { ...judged, judgedIn: [{ fromMs: 0, untilMs: nowMs }] });
  expect(uptime.upPercent).toBe(Math.floor((100_000 * (60 - 26.4)) / 60) / 1_000);
  expect(uptime.startedAt.getTime()).toBeGreaterThan(nowMs - 7 * dayMs);
});

describe('the first status', () => {
  const first = [change(2, 'ABSENT', 'PRESENT')];

  test('does not apply to the time since creation, as the earlier status is unknown', () => {
    const completeSinceMs = nowMs - 5 * hourMs;
    expect(
      day({ transitions: first, completeSinceMs, isWhole: true })
        .slots.slice(-6)
        .map(({ state }) => state),
    ).toEqual([...['UNKNOWN', 'UNKNOWN', 'UNKNOWN', 'UP', 'UP', 'UP']]);
  });

  test('if an older change existed that is no longer kept, the status before is known', () => {
    expect(
      day({ transitions: first })
        .slots.slice(-4)
        .map(({ state }) => state),
    ).toEqual(['DOWN', 'DOWN', 'UP', 'UP']);
  });
});

test.each(['DEGRADED', 'FLAPPING'])('a slot with the status %s says so, and counts as up', (status) => {
  const { slots, upPercent } = day({ transitions: [change(1, status, 'ONLINE'), change(2, 'ONLINE', status)] });
  expect(slots.slice(-4).map(({ state }) => state)).toEqual(['UP', 'DEGRADED', 'DEGRADED', 'UP']);
  expect(upPercent).toBe(100);
});

describe('the hours of several subjects', () => {
  const states = (uptimes: readonly ReturnType<typeof day>[], isWhole = true) =>
    hoursOf(uptimes, { nowMs, isWhole })
      .slice(-4)
      .map(({ state }) => state);

  test('have the worst state of any subject, and are unknown before the first subject', () => {
    const [old, fell] = [
      day({ completeSinceMs: nowMs - 2 * hourMs }),
      day({ status: 'ERROR', completeSinceMs: nowMs - 60_000 }),
    ];
    expect(states([old, fell])).toEqual(['UNKNOWN', 'UP', 'UP', 'DOWN']);
    expect(states([])).toEqual(['UNKNOWN', 'UNKNOWN', 'UNKNOWN', 'UNKNOWN']);
  });

  test('an hour is not called good if not all events were read', () => {
    const down = day({ transitions: [change(1, 'ERROR', 'ONLINE')], completeSinceMs: nowMs - 1.2 * hourMs });
    expect(states([down], false)).toEqual(['UNKNOWN', 'UNKNOWN', 'DOWN', 'UNKNOWN']);
  });
});
