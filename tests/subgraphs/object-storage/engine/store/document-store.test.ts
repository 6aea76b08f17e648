// The documents of a cluster: the newest of each, reported in order of arrival.
import { expect, test } from '@jest/globals';
import { Database } from '../../../../../platform/database/database.ts';
import { DocumentStore } from '../../../../../subgraphs/object-storage/engine/store/document-store.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { storeDatabase } from './store-database.ts';

function ringDocument(key: string, generation: number) {
  return { kind: 'ring', key, generation, body: `{"n":${generation}}`, signature: `signed ${generation}` };
}

test('a generation only rises, and arrivals are reported once and in order', async () => {
  await using cleanup = new AsyncDisposableStack();
  const db = new Database({ connection: await storeDatabase(cleanup) });
  cleanup.defer(() => db.close());
  const store = new DocumentStore(db);
  const [first, second, older] = [ringDocument('0', 2), ringDocument('1', 1), ringDocument('0', 1)];
  expect(await store.put([first, second])).toEqual([first, second]);
  expect(await store.put([older, first])).toEqual([]);
  expect(await store.find('ring', '0')).toEqual({ ...first, arrival: 1 });
  expect(await store.find('ring', '2')).toBeUndefined();
  const [third, fourth] = [ringDocument('0', 3), ringDocument('0', 4)];
  expect(await store.put([fourth, third])).toEqual([fourth]);
  expect(await store.since(1)).toEqual([
    { ...second, arrival: 2 },
    { ...fourth, arrival: 3 },
  ]);
  expect(await store.since(3)).toEqual([]);
  const many = Array.from({ length: 30 }, (_, key) => ringDocument(`many ${key}`, 1));
  await Promise.all(many.map((document) => store.put([document])));
  const arrivals: number[] = [];
  for await (const { arrival } of store.all()) arrivals.push(arrival);
  expect(arrivals).toEqual(Array.from({ length: 32 }, (_, index) => index + 2));
});

test('a clock that was ahead does not hide how long the control plane has been silent', async () => {
  await using cleanup = new AsyncDisposableStack();
  const db = new Database({ connection: await storeDatabase(cleanup) });
  cleanup.defer(() => db.close());
  const store = new DocumentStore(db);
  const ahead = () => db.execute("UPDATE store_counter SET number = number + 31536000000 WHERE name = 'heard'");
  expect(await store.controlPlaneSilentMs()).toBeUndefined();
  await store.heardControlPlane();
  await ahead();
  // Contact with the control plane returns, with the right clock.
  await store.heardControlPlane();
  await waitFor('its silence to be counted', async () => ((await store.controlPlaneSilentMs()) ?? 0) > 20);
  // There is no contact.
  await ahead();
  expect(await store.controlPlaneSilentMs()).toBeLessThan(1_000);
  await waitFor('the silence to count from now', async () => ((await store.controlPlaneSilentMs()) ?? 0) > 20);
});
