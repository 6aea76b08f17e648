// The migration of API tokens that were made before tokens had a recorded maker.
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { platformMigrations } from '../../../bin/compose/places.ts';
import { Database } from '../../../platform/database/database.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { systemRow } from '../../../subgraphs/system/row.ts';
import { testDatabase } from '../../support/database.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('older tokens get their makers, and end like new ones', async () => {
  const place = await testDatabase({ migrated: false });
  const before = await temporaryFolder();
  const db = new Database({ connection: place.connection, connectionLimit: 2 });
  try {
    for (const name of await readdir(systemRow.migrations.folder))
      if (name < '20261121081000')
        await cp(join(systemRow.migrations.folder, name), join(before.path, name), { recursive: true });
    await migrate(place.connection, [{ owner: 'system', folder: before.path }]);
    await db.execute("INSERT INTO project (id, name) VALUES ('p', 'p')");
    await db.execute("INSERT INTO user (id, name, admin) VALUES ('a', 'ann', 0), ('b', 'bob', 0), ('r', 'root', 1)");
    await db.execute("INSERT INTO membership (project_id, user_id, role) VALUES ('p', 'a', 'OPERATOR')");
    const token = (id: string, maker: string, expires: string | null = null, revoked: string | null = null) =>
      db.execute(
        `INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by, expires_at, revoked_at)
         VALUES (?, 'p', CONCAT('name ', ?), 'OPERATOR', ?, 'tg_', ?, ?, ?)`,
        [id, id, id, maker, expires, revoked],
      );
    await token('1', 'a', '2090-01-01');
    await token('2', '1');
    await token('3', '2', '2080-01-01');
    await token('4', '3', '2099-01-01');
    await token('5', 'a', null, '2026-01-01');
    await token('6', '5');
    await token('7', 'b');
    await token('8', 'r');
    await token('9', '00000000-0000-0000-0000-000000000000');
    await migrate(place.connection, [platformMigrations, systemRow.migrations]);
    const rows = await db.query(
      `SELECT id, user_id AS user, maker_name AS maker, parent_id AS parent, YEAR(expires_at) AS ends,
              revoked_at IS NOT NULL AS revoked, version FROM api_token ORDER BY id`,
    );
    expect(rows).toEqual([
      { id: '1', user: 'a', maker: 'ann', parent: null, ends: 2090, revoked: 0, version: 1 },
      { id: '2', user: 'a', maker: 'name 1', parent: '1', ends: 2090, revoked: 0, version: 2 },
      { id: '3', user: 'a', maker: 'name 2', parent: '2', ends: 2080, revoked: 0, version: 1 },
      { id: '4', user: 'a', maker: 'name 3', parent: '3', ends: 2080, revoked: 0, version: 2 },
      { id: '5', user: 'a', maker: 'ann', parent: null, ends: null, revoked: 1, version: 1 },
      { id: '6', user: 'a', maker: 'name 5', parent: '5', ends: null, revoked: 1, version: 2 },
      { id: '7', user: 'b', maker: 'bob', parent: null, ends: null, revoked: 1, version: 2 },
      { id: '8', user: 'r', maker: 'root', parent: null, ends: null, revoked: 0, version: 1 },
      { id: '9', user: null, maker: null, parent: null, ends: null, revoked: 0, version: 1 },
    ]);
  } finally {
    await db.close();
    await place.drop();
    await before.remove();
  }
});
