import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createLogger } from '../../platform/log/log.ts';
import { Health } from '../../platform/process/health.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { TcpLine } from '../../simulators/tcp-line.ts';
import { createBackendChecks } from '../../subgraphs/relay/control/checks/backend-checks.ts';
import { createWorker, type Worker } from '../../workers/worker.ts';
import { identity, projectA, RelaySystem } from '../subgraphs/relay/support/relay-system.ts';
import { testEgress } from '../support/machine/egress.ts';
import { describeWithLab } from '../support/machine/lab.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { testPair } from '../support/product/signing-keys.ts';

const log = createLogger({ level: 'silent', pretty: false });

describeWithLab('worker', (lab) => {
  let system: RelaySystem;
  const workers: Worker[] = [];
  const health = new Health();
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

  test('a new backend becomes ONLINE, OFFLINE when its connection is cut, and ONLINE again', async () => {
    const node = await system.node();
    const { firewall } = lab();
    const line = await TcpLine.lay({ host: firewall.host, port: firewall.port });
    for (let count = 0; count < 2; count += 1) {
      const worker = createWorker({
        db: node.db,
        redis: { path: system.database.redisPath },
        redisPrefix: system.database.redisPrefix,
        wake: system.wake,
        egress: testEgress,
        log,
        registry: new Registry(),
        health,
        owner: newUuid(),
        leases: node.leases,
        config: { 'retention.eventDays': 30, 'retention.auditDays': 30, 'audit.anchorFile': undefined },
        auditKeys: testPair('audit'),
        work: [{ checks: [createBackendChecks({ ...node, ...times })] }],
      });
      await worker.start();
      workers.push(worker);
    }
    const input = {
      name: 'fw',
      driver: 'linux-nftables',
      host: '127.0.0.1',
      port: line.port,
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
    const late = expect.stringMatching(/^backends: [01], late by \d\.\d s, targets that are down by \d\.\d s$/);
    const parts = (await health.components()).filter(({ name }) => name === 'checks');
    expect(parts).toEqual([1, 2].map(() => ({ name: 'checks', ready: true, detail: late })));
    await line.cut();
    await waitFor('OFFLINE', async () => (await backend())?.operatingStatus === 'OFFLINE');
    expect((await backend())?.health.message).toMatch(/ECONNREFUSED|CONNECT/);
    await line.restore();
    await waitFor('ONLINE again', async () => (await backend())?.operatingStatus === 'ONLINE');

    const events = await node.db.query<{ from: string; to: string }>(
      `SELECT from_status AS 'from', to_status AS 'to' FROM status_change WHERE kind = 'backend.operatingStatus' ORDER BY id`,
    );
    expect(events.map((event) => event.to).slice(-3)).toEqual(['ONLINE', 'OFFLINE', 'ONLINE']);
    await line.stop();

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
