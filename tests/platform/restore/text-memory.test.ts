// The memory outside of the database: in a file that several processes change, and in Redis.
// needs: processes
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { FileTextMemory, RedisTextMemory } from '../../../platform/restore/text-memory.ts';
import { forTest } from '../../support/jest/shared.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { testDatabase } from '../../support/stores/database.ts';

const installation = '0190d7c6-0000-7000-8000-000000000001';
const writer = join(import.meta.dirname, 'text-writer.ts');

const folder = forTest(() => temporaryFolder());
let path: string;
beforeEach(async () => {
  path = join(folder.path, 'memory');
});

function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

test('found by a log full of failed renames: writers in one process lose nothing and do not fail', async () => {
  const memories = [new FileTextMemory(path), new FileTextMemory(path)];
  const fields = names('a', 40);
  await Promise.all(fields.map((name, index) => memories[index % 2]?.write(installation, { [name]: '1' })));
  expect(Object.keys(await new FileTextMemory(path).read(installation)).sort()).toEqual([...fields].sort());
  expect(await readdir(folder.path)).toEqual(['memory']);
});

test('writers in several processes lose nothing, and a field that one removes stays removed', async () => {
  const memory = new FileTextMemory(path);
  const old = names('old', 20);
  await memory.write(installation, Object.fromEntries(old.map((name) => [name, '1'])));
  const children = ['a', 'b', 'c'].map((prefix) => fork(writer, [path, installation, prefix, '25']));
  const ended = Promise.all(children.map((child) => once(child, 'exit')));
  for (const name of old) await memory.forget(installation, [name]);
  expect((await ended).map(([code]) => code)).toEqual([0, 0, 0]);
  const wanted = ['a', 'b', 'c'].flatMap((prefix) => names(prefix, 25));
  expect(Object.keys(await memory.read(installation)).sort()).toEqual(wanted.sort());
});

test('a process that was killed while it held the file does not block others for long', async () => {
  await writeFile(`${path}.lock`, 'a process that has ended');
  const memory = new FileTextMemory(path);
  await memory.write(installation, { a: '1' });
  expect(JSON.parse(await readFile(path, 'utf8')).installations[installation]).toEqual({ a: '1' });
  expect(await readdir(folder.path)).toEqual(['memory']);
});

test('a file is read again only after a change, whoever changed it', async () => {
  const [one, other] = [new FileTextMemory(path), new FileTextMemory(path)];
  await one.write(installation, { a: '1', b: '1' });
  expect(await other.get(installation, 'a')).toBe('1');
  const parse = jest.spyOn(JSON, 'parse');
  try {
    expect(await other.get(installation, 'b')).toBe('1');
    expect(await other.get(installation, 'none')).toBeUndefined();
    expect(parse).not.toHaveBeenCalled();
  } finally {
    parse.mockRestore();
  }
  // The text has the same length as before.
  for (const value of ['2', '3']) {
    await one.write(installation, { a: value });
    expect(await other.get(installation, 'a')).toBe(value);
  }
});

test('a folder that can’t be written is an immediate error', async () => {
  await expect(new FileTextMemory(join(folder.path, 'none', 'memory')).write(installation, { a: '1' })).rejects.toThrow(
    'ENOENT',
  );
});

test('in Redis each write is one command, and once an hour it also extends the expiry', async () => {
  await using stack = new AsyncDisposableStack();
  const place = await testDatabase();
  stack.defer(() => place.drop());
  const redis = new Redis(place.redisPath);
  stack.defer(() => redis.disconnect());
  let nowMs = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  stack.defer(() => clock.mockRestore());
  const memory = new RedisTextMemory(redis, place.redisPrefix);
  const key = `${place.redisPrefix}:${installation}`;
  const transactions = jest.spyOn(redis, 'multi');
  await memory.write(installation, { a: '1' });
  await redis.expire(key, 10);
  await memory.write(installation, { a: '2', b: '1' });
  await memory.write(installation, {});
  expect(transactions).toHaveBeenCalledTimes(1);
  expect(await memory.read(installation)).toEqual({ a: '2', b: '1' });
  expect([await memory.get(installation, 'a'), await memory.get(installation, 'none')]).toEqual(['2', undefined]);
  expect(await redis.ttl(key)).toBeLessThanOrEqual(10);
  nowMs += 3_600_000;
  await memory.write(installation, { b: '2' });
  expect(await redis.ttl(key)).toBeGreaterThan(89 * 24 * 3_600);
  const other = installation.replace(/1$/, '2');
  await memory.write(other, { c: '1' });
  expect(await redis.ttl(`${place.redisPrefix}:${other}`)).toBeGreaterThan(89 * 24 * 3_600);
  expect(await memory.read(installation)).toEqual({ a: '2', b: '2' });
});
