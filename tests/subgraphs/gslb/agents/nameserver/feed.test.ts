// What a name server takes from its feed: the CNAMEs of one tenant never stop the names of another.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { Answerer } from '../../../../../dns/answerer/answerer.ts';
import type { NamePlan, ZoneChange } from '../../../../../dns/policy/plan.ts';
import type { JsonValue } from '../../../../../platform/values/json.ts';
import { Feed } from '../../../../../subgraphs/gslb/agents/nameserver/feed.ts';
import { zoneKey } from '../../../../../subgraphs/gslb/wire/dns-wire.ts';
import { member, namePlan, zone, zonePlan } from '../../../../dns/answerer/support/plans.ts';
import { testHistory } from '../../../../support/histories.ts';

let answerer: Answerer;
let feed: Feed;
beforeEach(async () => {
  answerer = await Answerer.start({ listen: [], name: 'ns1', failed: () => undefined });
  feed = new Feed({ answerer, log: pino({ level: 'silent' }), changed: () => undefined });
});
afterEach(() => answerer.close());

const alias = (label: string, target: string): NamePlan =>
  namePlan(label, { members: [member('m1', { addresses: [], cname: `${target}.${zone}` })] });

const changed = (from: number, fields: Partial<ZoneChange>) =>
  feed.change(zoneKey(zone), {
    ...{ zone, history: testHistory, from, to: from + 1, names: [], removedNames: [], ...fields },
  } as unknown as Record<string, JsonValue>);

async function put(names: readonly NamePlan[], generation: number): Promise<void> {
  const position = { history: testHistory, number: generation };
  await feed.put(zoneKey(zone), position, { ...zonePlan(names), generation } as unknown as JsonValue);
}

const fqdns = () => (answerer.plan(zone)?.names ?? []).map(({ fqdn }) => fqdn.split('.')[0]).sort();

test('names that lead back to each other are taken, and so is what comes after them', async () => {
  await put([namePlan('shop')], 7);
  expect(await changed(7, { names: [alias('a', 'b')] })).toBe(true);
  expect(await changed(8, { names: [alias('b', 'a')] })).toBe(true);
  expect(await changed(9, { names: [namePlan('new')] })).toBe(true);
  expect(fqdns()).toEqual(['a', 'b', 'new', 'shop']);
  expect(feed.refused()).toEqual({});
});

test('a name whose end closes a circle leaves the zone whole for the next start', async () => {
  await put([alias('*', 'a'), alias('a', 'b'), namePlan('b')], 7);
  expect(await changed(7, { removedNames: [`b.${zone}`] })).toBe(true);
  const kept = answerer.plan(zone)?.names ?? [];
  await put(kept, 9);
  expect(feed.refused()).toEqual({});
  expect(answerer.stats().zones[0]?.position.number).toBe(9);
});
