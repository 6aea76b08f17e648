// Zones do not change while members do not change. Latency jitter changes no answer, and a lasting latency change
// affects only the answers that depend on it.
import { expect, test } from '@jest/globals';
import { Reporter } from '../../../../../subgraphs/gslb/agents/checker/reporter.ts';
import { zoneNews } from '../../../../../subgraphs/gslb/control/plans/zone-plans.ts';
import { zonePositions } from '../../../../../subgraphs/gslb/control/stores/zone-store.ts';
import { targetId } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';
import { seededRandom } from '../../../../../trials/random.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { testHistory } from '../../../../support/stores/histories.ts';
import { GslbPlace, type TestChecker, zone } from '../../support/gslb-place.ts';

const random = seededRandom(9);
const jitter = 0.3;
const secondMs = 1_000;
const regions = ['eu', 'us', 'ap'];
const place = forTest(() => GslbPlace.open());

const generation = () => place.count('SELECT generation AS n FROM gslb_zone');

/** A vantage point whose checker checks all members each second, on a clock that the test controls. */
class Site {
  readonly #checker: TestChecker;
  readonly #reporter = new Reporter();
  readonly #members: ReadonlyMap<string, number>;
  #nowMs = 0;

  constructor(checker: TestChecker, members: readonly string[]) {
    this.#checker = checker;
    this.#members = new Map(members.map((id) => [id, 2 * 100 ** random.next()]));
    this.#reporter.grant({
      ...{ history: testHistory, incarnation: 1, epoch: 1, vantagePoint: checker.vantagePoint },
      ...{ stampMs: 0, heartbeatMs: secondMs, freshMs: 5_000 },
    });
  }

  /** `slower`: factor by which all latencies grow. */
  async check(seconds: number, slower = 1): Promise<void> {
    for (const end = this.#nowMs + seconds * secondMs; this.#nowMs < end; this.#nowMs += secondMs) {
      for (const [member, usualMs] of this.#members) {
        const latencyMs = slower * usualMs * (1 + jitter * (2 * random.next() - 1));
        const target = targetId({ member, monitor: place.monitorId });
        this.#reporter.note({ target, verdict: 'UP', sinceMs: 0, latencyMs, message: null });
      }
      for (;;) {
        const batch = this.#reporter.next(this.#nowMs, { targets: 1, lateMs: 0, abstains: null });
        if (batch === undefined) break;
        this.#reporter.acknowledged(0);
        // The conductor stores nothing for a heartbeat.
        if (batch.verdicts.length > 0) await place.say(this.#checker, {}, { verdicts: batch.verdicts });
      }
    }
  }
}

test('latencies that jitter by 30 percent for ten minutes make no generation of 100 names', async () => {
  const members: string[] = [];
  for (let at = 0; at < 12; at += 1)
    members.push(await place.member(`m${at}`, { addresses: [`192.0.2.${at + 1}`], region: regions[at % 3] ?? null }));
  const names = new Map<string, string>();
  for (let at = 0; at < 100; at += 1) {
    const preset = at % 10 === 0 ? 'LATENCY' : (['ROUND_ROBIN', 'GEO', 'FAILOVER'] as const)[at % 3];
    names.set(`n${at}.${zone}`, await place.name(`n${at}`, { policy: { preset: preset ?? 'GEO', steps: [] } }));
  }
  const sites: Site[] = [];
  for (const region of regions) sites.push(new Site(await place.vantagePoint(region), members));
  for (const site of sites) await site.check(60);
  const settled = await generation();
  for (const site of sites) await site.check(600);
  expect((await generation()) - settled).toBe(0);

  for (const site of sites) await site.check(60, 3);
  const changed = await place.ground.db.query<{ fqdn: string }>(
    'SELECT DISTINCT fqdn FROM gslb_zone_change WHERE generation > ? ORDER BY fqdn',
    [settled],
  );
  expect(changed.map(({ fqdn }) => fqdn)).toEqual([...names.keys()].filter((fqdn) => /^n\d*0\./.test(fqdn)).toSorted());
  for (const [fqdn, id] of names) {
    const { plan } = await place.plan(id);
    const measured = plan.members.filter(({ latencyMs }) => Object.keys(latencyMs).length === 3).length;
    expect([fqdn, measured]).toEqual([fqdn, /^n\d*0\./.test(fqdn) ? members.length : 0]);
  }
});

test('client blocks are sent when they change, and not when a member does', async () => {
  const [one, two] = [await place.member('one', { region: 'eu' }), await place.member('two', { region: 'us' })];
  const policy = { preset: 'GEO' as const, steps: [] };
  const id = await place.name('geo', { policy, clientBlocks: [{ cidr: '198.51.100.0/24', region: 'eu' }] });
  const [checker, other] = [await place.vantagePoint('eu'), await place.vantagePoint('us')];
  const { db, sealer } = place.ground;
  /** The messages that a name server gets for this change. */
  const newsOf = async (change: () => Promise<unknown>) => {
    const [before] = await zonePositions(db);
    await change();
    const news = await zoneNews(db, sealer, { zone, has: before?.position, ownMaps: false });
    return news?.kind === 'CHANGE' ? news.change : undefined;
  };
  const up = await newsOf(async () => {
    for (const each of [checker, other]) await place.say(each, { [one]: 'UP', [two]: 'UP' });
  });
  const down = await newsOf(async () => {
    for (const each of [checker, other]) await place.say(each, { [one]: 'DOWN' });
  });
  for (const change of [up, down]) {
    expect(change?.names.map(({ fqdn }) => fqdn)).toEqual([`geo.${zone}.`]);
    expect(change?.head).toBeUndefined();
  }
  const moved = await newsOf(async () => {
    await db.execute("UPDATE gslb SET spec = JSON_SET(spec, '$.clientBlocks[0].region', 'us') WHERE id = ?", [id]);
    await place.work('gslb-plan', id);
  });
  expect(moved?.head?.clientMaps.find(({ mapId }) => mapId === id)?.blocks).toEqual([
    { cidr: '198.51.100.0/24', region: 'us' },
  ]);
  const none = await newsOf(() => place.work('gslb-plan', id));
  expect(none).toBeUndefined();
});
