// The answer of a static backend: exactly the answer that every client gets, or a refusal that does not depend on the state of members.
import { expect, test } from '@jest/globals';
import { answer } from '../../../dns/policy/answer.ts';
import { prepareClientMap } from '../../../dns/policy/client.ts';
import { prepareName } from '../../../dns/policy/prepare.ts';
import { presetSteps, presets } from '../../../dns/policy/presets.ts';
import { staticAnswer, staticFault } from '../../../dns/policy/static-answer.ts';
import { seededRandom } from '../../../trials/random.ts';
import { clientMap, member, plan, randomClient, randomPlan, worldGeo } from './plans.ts';

const maps = new Map([['map', prepareClientMap(clientMap)]]);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));

test('FAILOVER and ROUND_ROBIN become record sets; policies that depend on the client or on chance are refused', () => {
  const two = [member('m1', { addresses: ['192.0.2.1', '2001:db8::1'] }), member('m2', { priority: 2 })];
  expect(staticAnswer(plan(two, presetSteps('FAILOVER')))).toEqual({
    supported: true,
    sets: [
      { type: 'A', ttlSeconds: 30, values: ['192.0.2.1'] },
      { type: 'AAAA', ttlSeconds: 30, values: ['2001:db8::1'] },
    ],
  });
  const supported = presets.filter((preset) => staticAnswer(plan(two, presetSteps(preset))).supported);
  expect(supported).toEqual(['FAILOVER', 'ROUND_ROBIN']);
  expect(staticAnswer(plan(two, presetSteps('ROUND_ROBIN', { count: 1 })))).toEqual({
    ...{ supported: false, reason: 'it answers all records that it has: no choice of 1 of 2' },
  });
  expect(staticFault(plan(two, presetSteps('FAILOVER'), { noneUp: { do: 'SERVFAIL' } }))).toContain('SERVFAIL');
  expect(staticFault(plan([member('m1', { upIn: { eu: true } })], presetSteps('FAILOVER')))).toContain('region');
});

test('the fallbacks of a name become record sets too', () => {
  const down = [member('m1', { up: false })];
  const sets = (noneUp: Parameters<typeof plan>[2]) => staticAnswer(plan(down, presetSteps('FAILOVER'), noneUp));
  expect(sets({ noneUp: { do: 'NODATA' } })).toEqual({ supported: true, sets: [] });
  expect(sets({ noneUp: { do: 'CNAME', target: 'sorry.test.' } })).toEqual({
    supported: true,
    sets: [{ type: 'CNAME', ttlSeconds: 5, values: ['sorry.test.'] }],
  });
});

test(`every client gets the content of the record sets, and the state of members does not affect support (seed ${seed})`, () => {
  const random = seededRandom(seed);
  let supported = 0;
  for (let round = 0; round < 1_000; round += 1) {
    const of = randomPlan(random);
    const given = staticAnswer(of);
    const turned = { ...of, members: of.members.map((each) => ({ ...each, up: random.next() < 0.5 })) };
    expect(staticAnswer(turned).supported).toBe(given.supported);
    if (!given.supported) continue;
    supported += 1;
    const name = prepareName(of, maps);
    for (const type of ['A', 'AAAA']) {
      const answered = answer(name, { type, client: randomClient(random), draw: random.next, geo: worldGeo });
      const set = given.sets.find((each) => each.type === type || each.type === 'CNAME');
      expect(answered.records.map(({ data }) => data).sort()).toEqual(set?.values ?? []);
      expect(set?.ttlSeconds ?? answered.ttlSeconds).toBe(answered.ttlSeconds);
    }
  }
  expect(supported).toBeGreaterThan(30);
});
