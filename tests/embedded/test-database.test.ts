// The test database itself: separate from others, accessible to the application's account, and gone after the drop.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createConnection } from 'mariadb';
import { type TestDatabase, testDatabase } from '../support/stores/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test('the application account can use this database and nothing else', async () => {
  const connection = await createConnection(database.connection);
  try {
    await connection.query('CREATE TABLE t_probe (id INT PRIMARY KEY) ENGINE=InnoDB');
    await connection.query('INSERT INTO t_probe VALUES (1)');
    await expect(connection.query('CREATE DATABASE somewhere_else')).rejects.toMatchObject({ errno: 1044 });
    await expect(connection.query('SET GLOBAL read_only = 0')).rejects.toMatchObject({ errno: 1227 });
  } finally {
    await connection.end();
  }
});

test('two databases cannot see each other, and a dropped one is gone with its sessions', async () => {
  const other = await testDatabase();
  const connection = await createConnection(other.connection);
  connection.on('error', () => {});
  expect(other.name).not.toBe(database.name);
  await other.drop();
  await expect(connection.query('SELECT 1')).rejects.toThrow();
  connection.destroy();
  await expect(createConnection(other.connection)).rejects.toMatchObject({ errno: 1049 });
});

test('Redis answers on its socket', async () => {
  const redis = new Redis({ path: database.redisPath });
  await redis.set(`${database.redisPrefix}:probe`, 'yes', 'EX', 60);
  expect(await redis.get(`${database.redisPrefix}:probe`)).toBe('yes');
  redis.disconnect();
});
