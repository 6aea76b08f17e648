// Zone keys are resealed with another key, like the credentials of monitors. Name servers are not notified.
import { expect, test } from '@jest/globals';
import { Keyring } from '../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../platform/secrets/seal.ts';
import { resealSecrets } from '../../../../subgraphs/gslb/control/reseal.ts';
import { firstKeys } from '../../../../subgraphs/gslb/control/stores/zone-keys.ts';
import { openZoneKeys, readZonesNamed, storeZoneKeys } from '../../../../subgraphs/gslb/control/stores/zone-store.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { keyFile } from '../../../support/product/test-context.ts';
import { GslbPlace, zone } from '../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());

const next = { active: 'k2', keys: { ...keyFile.keys, k2: Buffer.alloc(32, 8).toString('base64') } };

async function row() {
  const found = (await readZonesNamed(place.ground.db, [zone])).get(zone);
  if (found === undefined) throw new Error('there is no zone');
  return found;
}

test("a zone's keys stay the same, and open with the new key alone", async () => {
  const { db, wake, sealer } = place.ground;
  const keys = firstKeys(0);
  await db.transaction((tx) => storeZoneKeys(tx, wake, { zone, keys, sealer }));
  const { generation } = await row();
  const options = { sealer: createSealer(new Keyring(next)), keyId: 'k2', openOlder: false };
  expect(await resealSecrets(db, options)).toEqual({ resealed: 1, trusted: [], failed: [] });
  const alone = createSealer(new Keyring({ active: 'k2', keys: { k2: next.keys.k2 } }));
  expect(openZoneKeys(await row(), alone)).toEqual(keys);
  expect((await row()).generation).toBe(generation);
  expect(await resealSecrets(db, options)).toEqual({ resealed: 0, trusted: [], failed: [] });
});

test("a zone whose keys can't be opened is reported by name", async () => {
  const { db, wake, sealer } = place.ground;
  await db.transaction((tx) => storeZoneKeys(tx, wake, { zone, keys: firstKeys(0), sealer }));
  const { k2 } = next.keys;
  const options = { sealer: createSealer(new Keyring({ active: 'k2', keys: { k2 } })), keyId: 'k2', openOlder: false };
  const { resealed, failed } = await resealSecrets(db, options);
  expect({ resealed, failed }).toEqual({ resealed: 0, failed: [expect.stringContaining(`zone ${zone}: `)] });
});
