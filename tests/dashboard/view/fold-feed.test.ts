// Changes of one object and its parts are one entry of the feed, with what they came to in words.
import { expect, test } from '@jest/globals';
import type { FeedLine } from '../../../dashboard/src/live/live-state.ts';
import { foldFeed, foldWords } from '../../../dashboard/src/view/fold-feed.ts';

const startMs = Date.UTC(2026, 10, 30, 12);
let serial = 0;

interface Given {
  readonly seconds: number;
  readonly of?: string;
  readonly owner?: string;
  readonly kind?: string;
  readonly to?: string;
  readonly reason?: string;
}

function line({ seconds, of = 'lb1', owner, kind = 'loadBalancer.changed', to = 'ACTIVE', reason }: Given) {
  serial += 1;
  const changedAt = new Date(startMs + seconds * 1_000).toISOString();
  return {
    ...({ type: 'change', id: `s${serial}`, label: of, ...(owner === undefined ? {} : { ownerId: owner }) } as const),
    change: {
      ...{ id: `s${serial}`, changedAt, kind, subjectType: 'T', subjectId: of, subjectVersion: 1, from: null, to },
      ...{ reason: reason ?? null, project: null, subjectName: null },
    },
  };
}

/** What is shown, newest first: of an entry the number of its changes. */
function shown(oldestFirst: readonly FeedLine[]): readonly (string | number)[] {
  return foldFeed(oldestFirst.toReversed()).map((entry) => (entry.type === 'fold' ? entry.lines.length : entry.id));
}

test('three changes of an object and its parts within a minute of each other are one entry, where the newest is', () => {
  const [first, second, other, third] = [
    line({ seconds: 0 }),
    line({ seconds: 50, of: 'n1', owner: 'lb1' }),
    line({ seconds: 60, of: 'lb2' }),
    line({ seconds: 100, of: 'n2', owner: 'lb1' }),
  ];
  expect(shown([first, second, other, third])).toEqual([3, other.id]);
  expect(shown([first, second, other])).toEqual([other.id, second.id, first.id]);
  const late = line({ seconds: 170 });
  expect(shown([first, second, other, third, late])).toEqual([late.id, 3, other.id]);
});

test('nothing is folded over a break in the feed', () => {
  const note: FeedLine = { type: 'note', id: 'note', at: '', text: '' };
  const lines = [line({ seconds: 0 }), line({ seconds: 1 }), line({ seconds: 2 })];
  expect(shown([...lines.slice(0, 2), note, ...lines.slice(2)])).toEqual([
    lines[2]?.id,
    'note',
    lines[1]?.id,
    lines[0]?.id,
  ]);
});

const status = 'loadBalancer.operatingStatus';
const node = { owner: 'lb1', kind: 'loadBalancerNode.state' };
test.each([
  [
    'a scaling',
    [
      line({ seconds: 0, kind: 'autoscalingPolicy.decision', to: 'GROW', reason: '2 to 4 nodes: load is 92 %' }),
      line({ seconds: 4, kind: status, to: 'DEGRADED' }),
      line({ seconds: 5, of: 'n3', ...node, to: 'SERVING' }),
      line({ seconds: 6, kind: status, to: 'ONLINE' }),
      line({ seconds: 30, kind: 'autoscalingPolicy.decision', to: 'GROW', reason: '4 to 6 nodes: load is 91 %' }),
    ],
    '2 → 6 nodes, degraded for 2 s',
  ],
  [
    'nodes',
    [
      line({ seconds: 0, of: 'n1', ...node, to: 'BUILDING' }),
      line({ seconds: 1, of: 'n1', ...node, to: 'SERVING' }),
      line({ seconds: 2, of: 'n2', ...node, to: 'SERVING' }),
      line({ seconds: 3, of: 'n0', ...node, to: 'DELETING' }),
      line({ seconds: 4, of: 'n0', ...node, to: 'DELETED' }),
    ],
    '2 nodes added, 1 node removed',
  ],
  [
    'a failure',
    [line({ seconds: 0, kind: status, to: 'DEGRADED' }), line({ seconds: 3, kind: status, to: 'ERROR' })],
    'degraded for 3 s, error',
  ],
  [
    'the status of a part',
    [line({ seconds: 0, of: 'm1', owner: 'lb1', kind: 'poolMember.operatingStatus', to: 'ERROR' })],
    'm1 error',
  ],
  ['an end of trouble', [line({ seconds: 0, kind: status, to: 'ONLINE' })], 'online'],
])('%s in words', (_, lines, words) => {
  expect(foldWords(lines.toReversed())).toBe(words);
});
