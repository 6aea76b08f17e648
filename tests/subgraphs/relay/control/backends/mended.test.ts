// A failure belongs to the address and credentials that it was made with. A late failure does not open the circuit of a
// backend that was corrected in between.
import { expect, test } from '@jest/globals';
import { decodeUuid } from '../../../../../platform/values/ids.ts';
import { BackendChecker, recordCheckResults } from '../../../../../subgraphs/relay/control/checks/backend-checker.ts';
import { createTransport } from '../../../../../subgraphs/relay/transports/factories.ts';
import type { TransportFactory } from '../../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { until } from '../../../../support/machine/temporary-folder.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const old = { username: 'netops', password: 'old-Secret-1' };
const mended = { username: 'netops', password: 'new-Secret-2' };

/** Number of refused logins that the relay has not learned of yet. */
let refused = 0;
let tell = () => {};

/** The relay learns the outcome of a login with the old password only when the test releases it. */
const late: TransportFactory = (kind, endpoint, options) => {
  const transport = createTransport(kind, endpoint, options);
  if (endpoint.credentials.password !== old.password) return transport;
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return {
    state: () => transport.state(),
    close: () => transport.close(),
    tryReserve: () => transport.tryReserve(),
    async send(wire, sendOptions) {
      const sent = await transport.send(wire, sendOptions);
      refused += 1;
      await told;
      return sent;
    },
    async reserve(reserveOptions) {
      const reservation = await transport.reserve(reserveOptions);
      refused += 1;
      await told;
      return reservation;
    },
  };
};

const { system, node, device } = await startRelay({
  node: { transports: late },
  device: () => NftDevice.start({ password: mended.password }),
});

async function mend(id: string): Promise<void> {
  const input = { id, credentials: mended };
  expect(await node.mutate('backendUpdate', input, 'userErrors { code }')).toEqual({ userErrors: [] });
}

async function circuitOf(id: string): Promise<string | undefined> {
  const rows = await node.db.query<{ circuit: string }>('SELECT circuit_state AS circuit FROM backend WHERE id = ?', [
    decodeUuid('Backend', id) ?? '',
  ]);
  return rows[0]?.circuit;
}

async function untilRefused(): Promise<void> {
  await until(() => refused > 0);
  refused = 0;
}

test('a call that waits for a login is sent with the new password when the old one is refused late', async () => {
  const id = await device.register(node, 'mended', { credentials: old, limits: { deadlineMs: 60_000 } });
  const calling = call(node, 'add', element('mended', '10.0.0.1', { waitMs: 60_000 }));
  await untilRefused();
  await mend(id);
  tell();
  expect(await calling).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' } });
  expect(await circuitOf(id)).toBe('CLOSED');
});

test('a read with the old password that is refused late leaves the circuit closed', async () => {
  const id = await device.register(node, 'read', { credentials: old });
  const text = 'query ($input: RelayReadInput!) { relayRead(input: $input) { userErrors { code } } }';
  const looking = node.run(identity('OPERATOR'), text, {
    input: { backend: { id }, operation: 'rule.list', arguments: { table: 'filter' } },
  });
  await untilRefused();
  await mend(id);
  tell();
  await looking;
  expect(await circuitOf(id)).toBe('CLOSED');
  expect(await call(node, 'add', element('read', '10.0.0.2'))).toMatchObject({ operation: { state: 'SUCCEEDED' } });
});

test('a check with the old password, recorded after the new one was given, leaves the circuit closed', async () => {
  const id = await device.register(node, 'checked', { credentials: old });
  const targetId = decodeUuid('Backend', id) ?? '';
  const checker = new BackendChecker(node);
  const lease = await node.leases.acquire('checks/backends/mended');
  if (lease === undefined) throw new Error('no lease');
  const options = { signal: new AbortController().signal, egress: testEgress };
  const target = { id: targetId, timeoutMs: 20_000, revision: 'r' };
  const reading = await checker.check(target, options);
  expect(reading).toMatchObject({ up: false, message: expect.stringMatching(/^AUTH_FAILED/) });
  await mend(id);
  const seen = { ...reading, targetId, latencyMs: 3, at: new Date(), status: 'DOWN' } as const;
  await recordCheckResults(node.db, system.wake, [seen], lease);
  expect(await circuitOf(id)).toBe('CLOSED');
  expect(await checker.check(target, options)).toMatchObject({ up: true });
  await checker.close();
  await lease.release();
});
