// From votes to answers. A dead member leaves the answer, and returns after its failback delay.
import { expect, test } from '@jest/globals';
import { answer } from '../../../../dns/policy/answer.ts';
import { clientAddress, noGeo, prepareClientMap } from '../../../../dns/policy/client.ts';
import { prepareName } from '../../../../dns/policy/prepare.ts';
import { presetSteps } from '../../../../dns/policy/presets.ts';
import { judge, type Vote } from '../../../../subgraphs/gslb/rules/judge.ts';
import { type KeptVerdict, memberStanding, newVerdict, settle } from '../../../../subgraphs/gslb/rules/member.ts';
import { type MemberRow, namePlan } from '../../../../subgraphs/gslb/rules/name-plan.ts';
import { majorityRule, type Verdict } from '../../../../subgraphs/gslb/rules/quorum.ts';
import { gslbStanding, poolStanding } from '../../../../subgraphs/gslb/rules/standing.ts';
import type { OperatingStatus } from '../../../../subgraphs/gslb/rules/states.ts';

const regions = ['eu', 'us', 'ap'];
const rule = majorityRule(regions.length, 5_000);
const failback = { mode: 'DELAYED', delayMs: 10_000 } as const;
const blocks = regions.map((region, at) => ({ cidr: `10.${at}.0.0/16`, region }));
const maps = new Map([['map', prepareClientMap({ mapId: 'map', blocks, regions: [] })]]);

/** The name of a shop with a member in each region. Verdicts are kept from one evaluation to the next. */
class Shop {
  readonly #kept = new Map(regions.map((region) => [region, newVerdict]));
  #status: OperatingStatus | null = null;
  dueInMs: number | null = null;

  /**
   * `says`: each vantage point's vote on eu's member; the others are UP. Returns the answer for eu's clients, the TTL
   * and the status.
   */
  look(says: readonly (Verdict | null)[], passedMs: number): readonly [string, number, OperatingStatus | null] {
    const members = regions.map((region) => {
      const verdicts = region === 'eu' ? says : says.map(() => 'UP' as const);
      const before = this.#kept.get(region) as KeptVerdict;
      const kept = { ...before, verdictForMs: before.verdictForMs + passedMs };
      const overall = settle([judge(votes(verdicts), rule, kept.verdict)], kept, failback);
      this.#kept.set(region, overall.kept);
      const admin = { state: 'AUTO', endsInMs: null } as const;
      return memberStanding({ memberId: region, admin, overall, byRegion: new Map() });
    });
    this.dueInMs = members[0]?.againInMs ?? null;
    const pools = [poolStanding({ minUp: 1, members })];
    this.#status = gslbStanding({ pools, fault: null, before: this.#status }).status;
    const plan = namePlan({
      gslb: {
        ...{
          id: 'g',
          version: 1,
          fqdn: 'shop.gslb.lab.test',
          ttlSeconds: 30,
          degradedTtlSeconds: 5,
          clientMapId: 'map',
        },
        ...{ steps: presetSteps('GEO'), noneUp: { do: 'ALL' } },
      },
      pools: [{ id: 'p', minUp: 1 }],
      members: regions.map(memberRow),
      standings: new Map(members.map((member) => [member.memberId, member])),
    });
    const asked = { type: 'A', client: clientAddress('10.0.0.1'), draw: () => 0, geo: noGeo };
    const { records, ttlSeconds } = answer(prepareName(plan, maps), asked);
    return [records[0]?.memberId ?? 'nothing', ttlSeconds, this.#status];
  }
}

function votes(verdicts: readonly (Verdict | null)[]): Vote[] {
  return verdicts.map((verdict, at) => ({
    ...{ vantagePoint: `vp${at}`, region: regions[at] ?? '', verdict, ageMs: 100, abstains: false, state: 'PRESENT' },
  }));
}

function memberRow(region: string, at: number): MemberRow {
  return {
    ...{ id: region, poolId: 'p', region, addresses: [`192.0.2.${at + 1}`], cname: null, weight: 1, priority: 1 },
    ...{ place: null, latencyMs: {}, lastUpAt: null },
  };
}

test('eu’s clients get eu’s member, another one while it is down and until the delay is over, and then eu’s again', () => {
  const shop = new Shop();
  expect(shop.look(['UP', 'UP', 'UP'], 0)).toEqual(['eu', 30, 'ONLINE']);
  // One vantage point lies and one is cut off, and nothing flips.
  expect(shop.look(['DOWN', 'UP', 'UP'], 1_000)).toEqual(['eu', 30, 'ONLINE']);
  expect(shop.look(['DOWN', null, 'UP'], 1_000)).toEqual(['eu', 30, 'ONLINE']);
  expect(shop.look(['DOWN', 'DOWN', 'UP'], 1_000)).toEqual(['us', 5, 'DEGRADED']);
  expect(shop.look([null, null, null], 60_000)).toEqual(['us', 5, 'DEGRADED']);
  expect(shop.look(['UP', 'UP', null], 1_000)).toEqual(['us', 5, 'DEGRADED']);
  expect(shop.dueInMs).toBe(4_900);
  expect(shop.look(['UP', 'UP', 'UP'], 9_000)).toEqual(['us', 5, 'DEGRADED']);
  expect(shop.dueInMs).toBe(1_000);
  expect(shop.look(['UP', 'UP', 'UP'], 1_000)).toEqual(['eu', 30, 'ONLINE']);
});
