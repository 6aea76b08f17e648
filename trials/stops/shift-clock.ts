// Shifts every time in a stopped data folder, which is how a step of the host's clock while Tidegate is down looks from inside. Run as the
// owner of the data: shift-clock.ts FOLDER SECONDS. Positive: the clock was set back.
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { Database } from '../../platform/database/database.ts';

const [path = '', seconds = '0'] = process.argv.slice(2);

const folder = await openDataFolder(path, { version: 1 });
const mariadb = await startMariadb({ folder, log: silentLog });
const db = new Database({ connection: mariadb.application, connectionLimit: 1 });
// Without the audit trail, whose entries are hashed with their times.
const columns = await db.query<{ table: string; name: string }>(
  `SELECT table_name AS \`table\`, column_name AS name FROM information_schema.columns
    WHERE table_schema = DATABASE() AND data_type IN ('datetime', 'timestamp') AND is_generated = 'NEVER'
      AND table_name NOT LIKE 'audit%' AND table_name NOT LIKE '\\_%'`,
);
const names = Map.groupBy(columns, ({ table }) => table);
for (const [table, found] of names) {
  const changes = found.map(({ name }) => `\`${name}\` = \`${name}\` + INTERVAL ${Number(seconds)} SECOND`);
  await db.execute(`UPDATE \`${table}\` SET ${changes.join(', ')}`);
}
await db.close();
await mariadb.stop();
await folder.close();
