// The services that the others of a cluster use, while an administrator drains one of them.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Database } from '../../../../../platform/database/database.ts';
import { ServiceStore } from '../../../../../subgraphs/object-storage/engine/store/service-store.ts';
import { storeDatabase } from './store-database.ts';

let cleanup: AsyncDisposableStack;
beforeEach(() => {
  cleanup = new AsyncDisposableStack();
});
afterEach(() => cleanup.disposeAsync());

const role = 'objectcontroller';
const service = { role, name: 'north-1', version: '1', isReady: true, message: null, links: [] };
const report = { ...service, url: 'https://one', whenDrained: 'it is drained' };

// The drained service redirects users. It learns from its next report that the drain is over.
test('a drained service is not ready but still used; the report that ends the drain makes it ready in the same statement', async () => {
  const db = new Database({ connection: await storeDatabase(cleanup) });
  cleanup.defer(() => db.close());
  const services = new ServiceStore(db);
  const seen = async () => {
    const [row] = await services.all();
    return [row?.isReady, row?.isDrained, row?.message, await services.urlsOf(role)];
  };
  expect(await services.beat(report)).toEqual({ isDrained: false });
  expect(await seen()).toEqual([true, false, null, ['https://one']]);
  await services.drain(service, true);
  expect(await services.beat(report)).toEqual({ isDrained: true });
  expect(await seen()).toEqual([false, true, 'it is drained', ['https://one']]);
  await services.drain(service, false);
  expect(await services.beat(report)).toEqual({ isDrained: false });
  expect(await seen()).toEqual([true, false, null, ['https://one']]);
});

test('a service that died before the clock was set back counts as silent, and can be removed', async () => {
  const db = new Database({ connection: await storeDatabase(cleanup) });
  cleanup.defer(() => db.close());
  const services = new ServiceStore(db);
  await services.beat(report);
  await db.execute('UPDATE store_service SET heard_at = NOW(3) + INTERVAL 1 HOUR');
  expect(await services.all()).toMatchObject([{ isSilent: true, isReady: false, message: 'silent for 5 s' }]);
  expect(await services.urlsOf(role)).toEqual([]);
  // A live service reports again.
  await services.beat(report);
  expect(await services.urlsOf(role)).toEqual(['https://one']);
  expect(await services.remove(service)).toBe('STILL_HEARD');
  await db.execute('UPDATE store_service SET heard_at = NOW(3) + INTERVAL 1 HOUR');
  expect(await services.remove(service)).toBe('REMOVED');
});
