// The guard's knowledge of a disk on another host comes from the server's messages. These tests simulate the server.
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { WriteGuard } from '../../../platform/database/write-guard.ts';
import { DiskFullError } from '../../../platform/errors/database-errors.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

class Server {
  states: readonly string[] = [];
  looks = 0;
  full = false;
  readonly lines: string[] = [];
  readonly guard = new WriteGuard({
    disk: () => undefined,
    log: pino(
      { level: 'info' },
      { write: (line: string) => this.lines.push((JSON.parse(line) as { msg: string }).msg) },
    ),
    threadStates: async () => {
      this.looks += 1;
      return this.states;
    },
    tryWrite: () => this.write(),
    tryEveryMs: 20,
  });

  async write(): Promise<void> {
    if (this.full) throw Object.assign(new Error('Disk got full writing'), { errno: 1021 });
  }

  get refuses(): boolean {
    try {
      this.guard.check({ endsWork: true });
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(DiskFullError);
      return true;
    }
  }
}

describe('a disk that only the server knows', () => {
  test('a write that fails for lack of space closes the guard, a successful write opens it, and each is one log line', async () => {
    const server = new Server();
    server.full = true;
    await expect(server.guard.watch(() => server.write())).rejects.toMatchObject({ errno: 1021 });
    for (let times = 0; times < 100; times += 1) expect(server.refuses).toBe(true);
    server.full = false;
    await waitFor('the guard to open', () => !server.refuses);
    expect(server.lines).toEqual([
      "the database's disk is full: writes are refused until there is space",
      "the database's disk has space again: writes are accepted",
    ]);
    server.guard.close();
  });

  test('a slow write closes the guard only if the server waits for space', async () => {
    const server = new Server();
    const held = Promise.withResolvers<void>();
    const write = server.guard.watch(() => held.promise);
    server.states = ['', 'Waiting for table metadata lock'];
    await waitFor('a look', () => server.looks > 0);
    expect(server.refuses).toBe(false);
    server.full = true;
    server.states = ['', 'Waiting for someone to free space'];
    await waitFor('the guard to close', () => server.refuses);
    held.resolve();
    await write;
    server.full = false;
    await waitFor('the guard to open', () => !server.refuses);
    server.guard.close();
  });

  test('other failures say nothing about the disk', async () => {
    const server = new Server();
    await expect(server.guard.watch(() => Promise.reject(new Error('duplicate')))).rejects.toThrow('duplicate');
    expect(server.refuses).toBe(false);
    server.guard.close();
  });
});
