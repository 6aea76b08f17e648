// A backup of a test's database, consistent over all tables, and its restore under running processes. The database is
// dropped and recreated from the backup.
import { createConnection } from 'mariadb';
import { copyDatabase, type TestDatabase } from './database.ts';
import { testServers } from './servers.ts';

export interface Backup {
  restore(): Promise<void>;
  remove(): Promise<void>;
}

export async function backUp(place: Pick<TestDatabase, 'name'>): Promise<Backup> {
  const backup = `${place.name}_backup${Math.random().toString(36).slice(2, 8)}`;
  await copy(place.name, backup);
  return {
    restore: async () => {
      const root = await connect();
      try {
        await root.query(`DROP DATABASE \`${place.name}\``);
      } finally {
        await root.end();
      }
      await copy(backup, place.name);
    },
    remove: async () => {
      const root = await connect();
      try {
        await root.query(`DROP DATABASE IF EXISTS \`${backup}\``);
      } finally {
        await root.end();
      }
    },
  };
}

const connect = () => createConnection({ ...testServers().mariadb, multipleStatements: true });

/** Creates the tables first, and fills them while all of them are locked. */
async function copy(from: string, to: string): Promise<void> {
  const root = await connect();
  try {
    await root.query(`CREATE DATABASE \`${to}\``);
    await copyDatabase(root, from, to, { isConsistent: true });
  } finally {
    await root.end();
  }
}
