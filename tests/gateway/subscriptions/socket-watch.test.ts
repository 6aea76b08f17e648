// Sockets with many credentials, while no credential can be checked.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { Closable } from '../../../gateway/subscriptions/closable.ts';
import { SocketWatch } from '../../../gateway/subscriptions/socket-watch.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { testIdentity } from '../support/gateway.ts';

class FakeSocket implements Closable {
  readonly reasons: number[] = [];
  #listeners: (() => void)[] = [];

  isOpen(): boolean {
    return this.reasons.length === 0;
  }

  close({ code }: { readonly code: number }): void {
    this.reasons.push(code);
    for (const listener of this.#listeners) setImmediate(listener);
  }

  terminate(): void {}

  onceClosed(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

test('all have the same grace period, however many checks time out before theirs', async () => {
  const watch = new SocketWatch({
    authenticator: {
      authenticate: async () => undefined,
      // No answer until the deadline of the check.
      recheck: (_identity, signal) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('silent')))),
    },
    ...{ intervalMs: 1, graceMs: 100, log: pino({ level: 'silent' }) },
  });
  const sockets = Array.from({ length: 100 }, (_item, index) => {
    const socket = new FakeSocket();
    watch.add(testIdentity(`user-${index}`), socket);
    return socket;
  });
  await until(() => sockets.some((socket) => !socket.isOpen()));
  expect(sockets.filter((socket) => socket.isOpen())).toEqual([]);
  expect(sockets.map(({ reasons }) => reasons)).toEqual(sockets.map(() => [4503]));
  await until(() => watch.size === 0);
  watch.close();
});
