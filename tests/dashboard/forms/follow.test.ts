// Listeners and pools of a new load balancer keep referring to each other during edits, and a form reports the
// shortcomings of the new object.
import { describe, expect, test } from '@jest/globals';
import { type Draft, type DraftObject, readDraft, withDraft } from '../../../dashboard/src/forms/draft.ts';
import { effectsOf, silentChanges } from '../../../dashboard/src/forms/effects.ts';
import { follow } from '../../../dashboard/src/forms/follow.ts';
import { layoutOf } from '../../../dashboard/src/forms/layout/arrange.ts';

const input = 'LoadBalancerCreateInput';
const start = layoutOf(input)?.start ?? {};
type Edit = readonly [path: string, value: Draft | undefined];
const edited = (edits: readonly Edit[], from: DraftObject = start, of = input) =>
  edits.reduce<DraftObject>(
    (draft, [path, value]) => follow(of, draft, withDraft(draft, path.split('.'), value) as DraftObject),
    from,
  );
const partsOf = ({ listeners, pools }: DraftObject) => ({
  listeners: (listeners as readonly DraftObject[]).map(({ protocol, defaultPool }) => [protocol, defaultPool]),
  pools: (pools as readonly DraftObject[]).map(({ name, memberProtocol }) => [name, memberProtocol]),
});

describe('listeners and their pools', () => {
  test('the protocol of the pool follows the listener, unless it fits', () => {
    const tcp = edited([['listeners.0.protocol', 'TCP']]);
    expect(partsOf(tcp).pools).toEqual([['default', 'TCP']]);
    expect(partsOf(edited([['listeners.0.protocol', 'TERMINATED_HTTPS']], tcp)).pools).toEqual([['default', 'HTTP']]);
    const http2 = edited([['pools.0.memberProtocol', 'HTTP2']]);
    expect(partsOf(edited([['listeners.0.protocol', 'TERMINATED_HTTPS']], http2)).pools).toEqual([
      ['default', 'HTTP2'],
    ]);
  });

  test('a renamed pool keeps its listeners, and a moved one too', () => {
    const renamed = edited([['pools.0.name', 'shop']]);
    expect(partsOf(renamed).listeners).toEqual([['HTTP', 'shop']]);
    const two = edited([['pools', [...(renamed.pools as readonly Draft[]), { members: [{}] }]]], renamed);
    expect(partsOf(two).pools).toEqual([
      ['shop', 'HTTP'],
      ['pool-2', 'HTTP'],
    ]);
    const moved = edited([['pools', (two.pools as readonly Draft[]).toReversed()]], two);
    expect(partsOf(moved).listeners).toEqual([['HTTP', 'shop']]);
  });

  test('a new listener gets the only pool; one that is set to none keeps none', () => {
    const two = edited([['listeners', [...(start.listeners as readonly Draft[]), {}]]]);
    expect(partsOf(two).listeners).toEqual([
      ['HTTP', 'default'],
      [undefined, 'default'],
    ]);
    const none = edited([['listeners.0.defaultPool', undefined]]);
    expect(partsOf(edited([['name', 'web']], none)).listeners).toEqual([['HTTP', undefined]]);
  });

  test('a listener of a removed pool gets the remaining one', () => {
    const two = edited([
      ['pools', [...(start.pools as readonly Draft[]), { name: 'other', memberProtocol: 'HTTP' }]],
      ['pools.0', undefined],
    ]);
    expect(partsOf(two)).toEqual({ listeners: [['HTTP', 'other']], pools: [['other', 'HTTP']] });
  });
});

test('a new pool from a name is removed once an existing one is selected', () => {
  const from = layoutOf('GslbCreateInput')?.start ?? {};
  expect(edited([['poolIds', ['id']]], from, 'GslbCreateInput')).toEqual({ poolIds: ['id'] });
  const filled = edited([['pools.0.members.0.name', 'east']], from, 'GslbCreateInput');
  expect(edited([['poolIds', ['id']]], filled, 'GslbCreateInput')).toHaveProperty('pools');
});

describe('shortcomings of the new object', () => {
  const lacksOf = (edits: readonly Edit[]) =>
    effectsOf('loadBalancerCreate', readDraft(input, edited(edits)).input).lacks;
  const member: Edit = ['pools.0.members.0', { host: '192.0.2.1', port: '80' }];
  const check: Edit = ['pools.0.healthMonitor', { monitorType: 'HTTP' }];

  test.each<[readonly Edit[], readonly string[]]>([
    [[member, check], []],
    [
      [member, ['pools.0.healthMonitor', undefined]],
      ['A member that fails still gets requests: the pool default has no health monitor.'],
    ],
    [[check], ['Requests get 503: the pool default has no members.']],
    [[member, check, ['listeners.0.defaultPool', undefined]], ['Requests get 503: the listener has no pool.']],
    [
      [member, check, ['listeners.0.protocol', 'TCP'], ['listeners.0.defaultPool', undefined]],
      ['Connections are closed: the listener has no pool.'],
    ],
    [[member, check, ['listeners', []]], ['It serves nothing: it has no listener.']],
    [
      [
        member,
        check,
        ['listeners', [...(start.listeners as readonly Draft[]), { protocol: 'HTTP', port: '81' }]],
        ['listeners.1.defaultPool', undefined],
      ],
      ['Requests to port 81 get 503: the listener has no pool.'],
    ],
    [[member, check, ['minNodes', '2'], ['maxNodes', '4']], ['The number of nodes stays 2: there is no autoscaling.']],
  ])('%j', (edits, lacks) => {
    expect(lacksOf(edits)).toEqual(lacks);
  });

  test('its effects are also reported', () => {
    const { does } = effectsOf('loadBalancerCreate', readDraft(input, edited([member, ['minNodes', '3']])).input);
    expect(does).toEqual(['3 nodes.', 'HTTP port 80: to 1 member.']);
  });

  test('a listener, a rule without a channel, and a user', () => {
    const of = (mutation: string, given: object) => effectsOf(mutation, given as never).lacks;
    expect(of('listenerCreate', { protocol: 'HTTP', port: 80 })).toEqual([
      'Requests get 503: the listener has no pool.',
    ]);
    expect(of('listenerCreate', { protocol: 'HTTP', port: 80, defaultPoolId: 'p' })).toEqual([]);
    expect(of('alertRuleCreate', {})).toEqual(['Nobody gets its messages: it has no channel.']);
    expect(of('userCreate', { name: 'bob' })).toEqual(['This user sees nothing yet: add the user to a project.']);
    expect(of('poolMemberCreate', {})).toEqual([]);
  });
});

test('max nodes follow min nodes, and the form reports it', () => {
  const changes = (before: object, given: object) =>
    silentChanges('loadBalancerUpdate', before as never, given as never).map(({ path, message }) => [path[0], message]);
  expect(changes({ maxNodes: '2' }, { minNodes: 3 })).toEqual([
    ['maxNodes', "Max nodes becomes 3 too: it can't be less than min nodes."],
  ]);
  expect(changes({ maxNodes: '4' }, { minNodes: 3 })).toEqual([]);
  expect(changes({ maxNodes: '2' }, { minNodes: 3, maxNodes: 5 })).toEqual([]);
});
