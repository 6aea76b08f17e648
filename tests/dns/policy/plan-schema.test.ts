// Plans from outside: invalid ones are refused, and a changed plan equals a new one.
import { expect, test } from '@jest/globals';
import { cnameLoop } from '../../../dns/policy/cname-loop.ts';
import { applyZoneChange, type NamePlan, type ZonePlan } from '../../../dns/policy/plan.ts';
import { nameFault, planBounds, readZoneChange, readZonePlan, zonePlanFault } from '../../../dns/policy/plan-schema.ts';
import { presetSteps } from '../../../dns/policy/presets.ts';
import { testHistory } from '../../support/stores/histories.ts';
import { clientMap, member, plan } from './plans.ts';

const shop = plan([member('m1'), member('m2')], presetSteps('GEO'));

const zone: ZonePlan = {
  history: testHistory,
  ...{ zone: 'gslb.lab.test.', generation: 7, ttlSeconds: 300, keys: [], clientMaps: [clientMap], names: [shop] },
  soa: {
    ...{ mname: 'ns1.gslb.lab.test.', rname: 'hostmaster.gslb.lab.test.', refreshSeconds: 60, retrySeconds: 10 },
    ...{ expireSeconds: 3_600, negativeTtlSeconds: 5, serialBase: 0 },
  },
  nameServers: [{ name: 'ns1.gslb.lab.test.', addresses: ['192.0.2.1', '2001:db8::1'] }],
};

const faultOf = (change: Partial<NamePlan>) => zonePlanFault({ ...zone, names: [{ ...shop, ...change }] });

test('a plan is read back unchanged', () => {
  expect(readZonePlan(JSON.parse(JSON.stringify(zone)))).toEqual(zone);
  expect(zonePlanFault(zone)).toBeUndefined();
});

test('invalid plans are refused with a description of the fault', () => {
  expect(faultOf({ fqdn: 'shop.gslb.other.test.' })).toContain('not in the zone');
  expect(faultOf({ fqdn: 'Shop.gslb.lab.test.' })).toContain('names.0.fqdn');
  expect(faultOf({ fqdn: 'a.*.gslb.lab.test.' })).toContain('names.0.fqdn');
  expect(faultOf({ fqdn: '*.gslb.lab.test.' })).toBeUndefined();
  expect(faultOf({ clientMapId: 'no' })).toContain('client map');
  expect(faultOf({ ttlSeconds: 604_801 })).toContain('ttlSeconds');
  expect(faultOf({ steps: [{ step: 'SHUFFLE' }] })).toContain('the last step is not FIRST');
  expect(faultOf({ steps: [{ step: 'FIRST', count: 33 }] })).toContain('count');
  expect(faultOf({ members: [member('m1'), member('m2', { weight: 1_001 })] })).toContain('weight');
  expect(faultOf({ members: [member('m1'), member('m2', { addresses: ['2001:DB8::1'] })] })).toContain('canonical');
  expect(faultOf({ members: [member('m1'), member('m2', { addresses: [] })] })).toContain('addresses, or else a cname');
  expect(faultOf({ members: [member('m1'), member('m1')] })).toContain('twice');
  expect(faultOf({ members: [...shop.members, member('m3')] })).toContain('in no pool');
  expect(faultOf({ members: [member('m1')] })).toContain('nowhere');
  const mixed = [member('m1'), member('m2', { addresses: [], cname: 'x.test.' })];
  expect(faultOf({ members: mixed })).toContain('members with a CNAME');
  expect(faultOf({ noneUp: { do: 'POOL', pool: { poolId: 'p2', minUp: 1, memberIds: ['m2'] } } })).toContain(
    'in another',
  );
  expect(zonePlanFault({ ...zone, names: [shop, shop] })).toContain('twice');
  expect(zonePlanFault({ ...zone, generation: -1 })).toContain('generation');
  expect(zonePlanFault(null)).toBeDefined();
  expect(readZonePlan({ ...zone, names: [shop, shop] })).toBeUndefined();
});

const sorry = (target: string) => ({ noneUp: { do: 'CNAME', target } }) as const;

test('a CNAME is not at the apex', () => {
  expect(faultOf({ fqdn: 'gslb.lab.test.', ...sorry('x.test.') })).toContain('the zone itself');
  expect(faultOf(sorry('x.test.'))).toBeUndefined();
});

test('CNAMEs that form a loop do not affect other names of the zone', () => {
  expect(faultOf(sorry(shop.fqdn))).toBeUndefined();
  const other = { ...shop, fqdn: 'b.gslb.lab.test.', ...sorry(shop.fqdn) };
  expect(zonePlanFault({ ...zone, names: [{ ...shop, ...sorry(other.fqdn) }, other] })).toBeUndefined();
});

test('the fault of one name is found without its zone', () => {
  const faultOfName = (change: Partial<NamePlan>) => nameFault(zone.zone, { ...shop, ...change });
  expect(faultOfName({})).toBeUndefined();
  expect(faultOfName({ fqdn: zone.zone, ...sorry('x.test.') })).toContain('the zone itself');
  expect(faultOfName({ fqdn: 'shop.other.test.' })).toContain('not in the zone');
  const slow = member('m2', { latencyMs: { eu: planBounds.latencyMs + 1 } });
  expect(faultOfName({ members: [member('m1'), slow] })).toContain('members.1.latencyMs');
});

test('loops are found through wildcards and long chains', () => {
  expect(
    cnameLoop(
      new Map([
        ['*.a.', ['x.b.']],
        ['*.b.', ['y.a.']],
      ]),
    ),
  ).toEqual(['*.a.', '*.b.', '*.a.']);
  expect(
    cnameLoop(
      new Map([
        ['a.', ['c.', 'b.']],
        ['b.', ['c.']],
        ['c.', []],
      ]),
    ),
  ).toBeUndefined();
  const chain = Array.from({ length: 50_000 }, (_, at): [string, string[]] => [`n${at}.`, [`n${at + 1}.`]]);
  expect(cnameLoop(new Map(chain))).toBeUndefined();
  expect(cnameLoop(new Map([...chain, ['n50000.', ['n1.']]]))).toHaveLength(50_001);
});

test('a change must follow its plan, or is refused', () => {
  const changed = { ...shop, version: 2 };
  const added = { ...shop, fqdn: '*.gslb.lab.test.' };
  const change = { zone: zone.zone, history: testHistory, from: 7, to: 9, names: [changed, added], removedNames: [] };
  const next = applyZoneChange(zone, readZoneChange(change) ?? { ...change, to: 0 });
  expect(next).toEqual({ ...zone, generation: 9, names: [changed, added] });
  expect(applyZoneChange(zone, { ...change, from: 6 })).toBeUndefined();
  expect(applyZoneChange(zone, { ...change, to: 7 })).toBeUndefined();
  const { names, history, generation, ...head } = zone;
  const removal = { ...change, names: [], removedNames: [shop.fqdn], head: { ...head, ttlSeconds: 60 } };
  expect(applyZoneChange(zone, readZoneChange(removal) ?? change)).toEqual({
    ...zone,
    generation: 9,
    names: [],
    ttlSeconds: 60,
  });
  expect(readZoneChange({ ...change, names: [{ ...shop, steps: [] }] })).toBeUndefined();
});
