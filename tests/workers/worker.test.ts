import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { newUuid } from '../../platform/ids.ts';
import { createLogger } from '../../platform/log.ts';
import { Keyring } from '../../platform/secrets/keyring.ts';
import { createSealer } from '../../platform/secrets/seal.ts';
import { createBackendChecks } from '../../subgraphs/relay/checks/backend-checks.ts';
import { createWorker, type Worker } from '../../workers/worker.ts';
import { identity, keyFile, projectA, RelaySystem } from '../subgraphs/relay/support/relay-system.ts';
import { describeWithLab } from '../support/lab.ts';
import { waitFor } from '../support/temporary-folder.ts';

const log = createLogger({ level: 'silent', pretty: false });

/** A way to the firewall that can be cut. */
class Forwarder {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(to: { host: string; port: number }) {
    this.#server = createServer((near) => {
      const far = connect({ ...to, noDelay: true });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => other.destroy());
        socket.pipe(other);
      }
    });
  }

  async open(port = 0): Promise<number> {
    this.#server.listen({ host: '127.0.0.1', port });
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await closed;
  }
}

describeWithLab('worker', (lab) => {
  let system: RelaySystem;
  const workers: Worker[] = [];
  const sealer = createSealer(new Keyring(keyFile));
  const times = { intervalMs: 500, timeoutMs: 2_000 };

  beforeAll(async () => {
    system = await RelaySystem.start();
  });

  afterAll(async () => {
    for (const worker of workers) {
      await worker.drain();
      await worker.stop();
    }
    await system.stop();
  });

  test('a backend that is registered becomes ONLINE, OFFLINE when its way is cut, and ONLINE again', async () => {
    const node = await system.node();
    const { firewall } = lab();
    const forwarder = new Forwarder(firewall);
    const port = await forwarder.open();
    for (let count = 0; count < 2; count += 1) {
      const worker = createWorker({
        db: node.db,
        redis: { path: system.database.redisPath },
        redisPrefix: system.database.redisPrefix,
        wake: system.wake,
        log,
        registry: new Registry(),
        owner: newUuid(),
        config: { 'retention.eventDays': 30, 'retention.auditDays': 30 },
        work: [{ checks: [createBackendChecks({ db: node.db, wake: system.wake, sealer, ...times })] }],
      });
      await worker.start();
      workers.push(worker);
    }
    const input = {
      name: 'fw',
      driver: 'linux-nftables',
      host: '127.0.0.1',
      port,
      hostKeySha256: firewall.hostKeySha256,
      credentials: { username: firewall.username, privateKey: await readFile(firewall.privateKeyPath, 'utf8') },
    };
    const created = await node.run<{ backendCreate: { userErrors: unknown[] } }>(
      identity('OPERATOR'),
      `mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { userErrors { code message field } } }`,
      { input },
    );
    expect(created.data.backendCreate.userErrors).toEqual([]);

    await waitFor('ONLINE', async () => (await backend())?.operatingStatus === 'ONLINE');
    expect((await backend())?.health).toEqual({
      softwareVersion: expect.stringMatching(/\d/),
      latencyMs: expect.any(Number),
      message: null,
    });
    await forwarder.cut();
    await waitFor('OFFLINE', async () => (await backend())?.operatingStatus === 'OFFLINE', 15_000);
    expect((await backend())?.health.message).toMatch(/ECONNREFUSED|CONNECT/);
    const again = new Forwarder(firewall);
    await again.open(port);
    await waitFor('ONLINE again', async () => (await backend())?.operatingStatus === 'ONLINE', 15_000);

    const events = await node.db.query<{ from: string; to: string }>(
      `SELECT from_status AS 'from', to_status AS 'to' FROM status_change WHERE kind = 'backend.operatingStatus' ORDER BY id`,
    );
    expect(events.map((event) => event.to).slice(-3)).toEqual(['ONLINE', 'OFFLINE', 'ONLINE']);
    await again.cut();

    async function backend() {
      interface Seen {
        operatingStatus: string;
        health: { softwareVersion: string | null; latencyMs: number | null; message: string | null };
      }
      const { data } = await node.run<{ backends: { nodes: Seen[] } }>(
        identity('VIEWER', projectA),
        '{ backends { nodes { operatingStatus health { softwareVersion latencyMs message } } } }',
      );
      return data.backends.nodes[0];
    }
  });
});
