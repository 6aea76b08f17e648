// A check plugin that only some checkers have. They get its targets, and a vantage point without the plugin shows this
// in its votes.
import { beforeEach, expect, test } from '@jest/globals';
import { sharingByPlugin } from '../../../../subgraphs/gslb/control/stores/sharing.ts';
import { readSharersOf, readVantagePoints } from '../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { presentVotes } from '../../../../subgraphs/gslb/control/verdicts/present-votes.ts';
import { targetId } from '../../../../subgraphs/gslb/wire/checker-wire.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { GslbPlace } from '../support/gslb-place.ts';

const withPlugin = ['TCP', 'GREETING'];
const without = ['TCP'];

const place = forTest(() => GslbPlace.open());
let members: readonly string[] = [];
beforeEach(async () => {
  await place.ground.db.execute(
    "UPDATE gslb_monitor SET type = 'PLUGIN', spec = JSON_SET(spec, '$.type', 'PLUGIN', '$.plugin', 'GREETING')",
  );
  const made: string[] = [];
  for (let at = 0; at < 12; at += 1) made.push(await place.member(`m${at}`));
  members = made;
  for (const name of ['eu', 'us']) await place.vantagePointWithout(name);
});

async function counts(vantagePoint: string): Promise<readonly string[]> {
  const votes = await presentVotes(place.ground.db, place.dependencies, members);
  const own = [...votes.values()].flat().filter((each) => each.vantagePoint === vantagePoint);
  return [...new Set(own.map(({ count }) => count))];
}

async function owners(vantagePoint: string, type: string): Promise<ReadonlySet<string | undefined>> {
  const { db } = place.ground;
  const row = (await readVantagePoints(db)).find(({ name }) => name === vantagePoint);
  if (row === undefined) throw new Error('there is no such vantage point');
  const ownerOf = sharingByPlugin(await readSharersOf(db, row));
  return new Set(members.map((member) => ownerOf(targetId({ member, monitor: place.monitorId }), type)));
}

const everywhere = (verdict: 'UP' | 'DOWN') => Object.fromEntries(members.map((member) => [member, verdict] as const));

test('its targets go to the checkers that have it, and only their votes count', async () => {
  const [able, unable] = [
    await place.checker('eu', undefined, withPlugin),
    await place.checker('eu', undefined, without),
  ];
  expect(await owners('eu', 'GREETING')).toEqual(new Set([able.id]));
  expect((await owners('eu', 'TCP')).size).toBe(2);
  await place.say(unable, everywhere('UP'));
  expect(await counts('eu')).toEqual(['NO_VERDICT']);
  await place.say(able, everywhere('UP'));
  expect(await counts('eu')).toEqual(['COUNTED']);
});

test('a vantage point without it has votes NO_PLUGIN, until a checker brings it', async () => {
  const checker = await place.checker('us', undefined, without);
  await place.say(checker, everywhere('DOWN'));
  expect(await owners('us', 'GREETING')).toEqual(new Set([undefined]));
  expect(await counts('us')).toEqual(['NO_PLUGIN']);
  expect(await counts('eu')).toEqual(['ABSENT']);
  // The same checker restarts with the plugin before it counts as silent.
  await place.connect(checker, withPlugin);
  expect(await counts('us')).toEqual(['NO_VERDICT']);
  await place.say(checker, everywhere('DOWN'));
  expect(await counts('us')).toEqual(['COUNTED']);
  await place.connect(checker, without);
  expect(await counts('us')).toEqual(['NO_PLUGIN']);
});
