// Answers by region, from answers and votes.
import { expect, test } from '@jest/globals';
import { regionAnswers, type SeenMember } from '../../../../dashboard/src/pages/gslb/regions/region-answers.ts';
import { vote } from '../../support/fake-names.ts';

const answerWith = (...all: readonly string[]) =>
  ({
    answer: { outcome: 'RECORDS', scopeBits: 24, records: all.map((data) => ({ type: 'A', data, ttlSeconds: 30 })) },
    answerIpv6: null,
  }) as never;
const members = [
  { name: 'one', addresses: ['203.0.113.1'], cname: null, votes: [vote('eu'), vote('us', { verdict: 'DOWN' })] },
  {
    name: 'two',
    addresses: [],
    cname: 'x.example.net',
    votes: [vote('eu', { verdict: 'DOWN' }), vote('ap', { count: 'ABSENT' })],
  },
] as unknown as readonly SeenMember[];

test('each region has its answer with the members behind it, and its own vantage points', () => {
  const regions = regionAnswers(
    [
      {
        region: 'eu',
        cidrs: ['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'],
        answer: answerWith('203.0.113.1'),
      },
      { region: null, cidrs: [], answer: answerWith('x.example.net') },
    ],
    members,
  );
  expect(regions).toMatchObject([
    {
      ...{
        region: 'eu',
        clients: '10.0.0.0/8, 10.1.0.0/16, 10.2.0.0/16 and 1 more',
        answer: '203.0.113.1',
        members: ['one'],
      },
      points: [{ name: 'eu', up: 1, of: 2, isAbsent: false }],
    },
    { region: null, answer: 'x.example.net', members: ['two'], points: [] },
    {
      region: 'ap',
      answer: null,
      clients: 'no client block has this region',
      points: [{ up: 1, of: 1, isAbsent: true }],
    },
    { region: 'us', answer: null, points: [{ name: 'us', up: 0, of: 1 }] },
  ]);
});

test('a name that is gone, and one without an answer yet, are shown as such', () => {
  const answers = regionAnswers(
    [
      { region: 'eu', cidrs: ['10.0.0.0/8'], answer: null },
      { region: 'us', cidrs: ['10.0.0.0/8'], answer: { answer: null, answerIpv6: null } },
    ],
    [],
  );
  expect(answers.map(({ answer }) => answer)).toEqual(['the name was deleted', 'no answer yet']);
});
