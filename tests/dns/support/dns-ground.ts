// A ground whose database has the tables of platform and dns only.
import { platformMigrations } from '../../../bin/compose/places.ts';
import { dnsPart } from '../../../dns/part.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { testDatabase } from '../../support/database.ts';
import { TestGround } from '../../support/ground.ts';

export async function openDnsGround(): Promise<TestGround> {
  const place = await testDatabase({ migrated: false });
  await migrate(place.connection, [platformMigrations, dnsPart.migrations]);
  return new TestGround(place);
}
