// A test context whose database has the tables of platform and dns only.
import { platformMigrations } from '../../../compose/places.ts';
import { dnsModule } from '../../../dns/module.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { TestContext } from '../../support/product/test-context.ts';
import { testDatabase } from '../../support/stores/database.ts';

export async function openDnsContext(): Promise<TestContext> {
  const place = await testDatabase({ migrated: false });
  await migrate(place.connection, [platformMigrations, dnsModule.migrations]);
  return new TestContext(place);
}
