// Names of the installation itself: the name of its endpoint, and the name that points to the primary of a cluster (HA). They are
// claimed like any other name, so that projects can't use them or names around them.
import type { Database } from '../../platform/database/database.ts';
import { claimForInstallation } from './name-claims.ts';

const owner = 'installation/reserved';

/** Replaces the reserved names with this list. Returns the names that can't be reserved, because a project has a name there. */
export async function reserveNames(db: Database, names: readonly string[]): Promise<readonly string[]> {
  const reserved = await db.query<{ name: string }>('SELECT name FROM dns_held_name WHERE owner = ?', [owner]);
  for (const { name } of reserved.filter((each) => !names.includes(each.name)))
    await db.execute('DELETE FROM dns_held_name WHERE name = ? AND owner = ?', [name, owner]);
  const taken: string[] = [];
  for (const name of names) {
    // Claimed in the parent zone, which need not be one of ours.
    const zone = name.slice(name.indexOf('.') + 1);
    if (!(await db.transaction((tx) => claimForInstallation(tx, { name, zone, owner })))) taken.push(name);
  }
  return taken;
}
