// A relay process that makes one call and kills itself with SIGKILL at a chosen moment of it. `runRelayProcess` starts
// it, and its only argument is the plan.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { toleratesBrokenConnects } from '../../../../platform/database/connector-rejections.ts';
import type { SendOptions } from '../../../../platform/net/send.ts';
import { createRedisWake } from '../../../../platform/work/wake.ts';
import { createTransport } from '../../../../subgraphs/relay/transports/factories.ts';
import type { Slot, Transport, TransportFactory } from '../../../../subgraphs/relay/transports/session.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import type { TestDatabase } from '../../../support/stores/database.ts';
import { call, RelayNode } from './relay-system.ts';

/**
 * The moment of the kill: the call is PENDING; it is SENT without a byte; its first byte was sent; the device has
 * answered; never.
 */
export type Moment = 'pending' | 'sent' | 'first-byte' | 'reply' | 'never';

interface Plan {
  readonly database: Pick<TestDatabase, 'name' | 'connection' | 'redisPath' | 'redisPrefix'>;
  readonly moment: Moment;
  readonly input: Record<string, unknown>;
}

interface ProcessEnd {
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
}

/**
 * Runs one process until it ends. At the moment `first-byte` it is killed once `received` reports that the device has
 * the call.
 */
export async function runRelayProcess(
  plan: Plan,
  received: () => Promise<boolean> = async () => true,
): Promise<ProcessEnd> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  const closed = new Promise<ProcessEnd>((resolve) =>
    child.on('close', (_code, signal) => resolve({ signal, stdout })),
  );
  if (plan.moment === 'first-byte') {
    await waitFor('the call on the device', received);
    child.kill('SIGKILL');
  }
  return closed;
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still alive');
}

function deadly(moment: Moment): TransportFactory {
  return (kind, endpoint, options) => {
    const transport = createTransport(kind, endpoint, options);
    const slotOf = (slot: Slot): Slot => ({
      release: () => slot.release(),
      async send(wire, sendOptions: SendOptions) {
        if (moment === 'sent') die();
        const result = await slot.send(wire, sendOptions);
        if (moment === 'reply') die();
        return result;
      },
    });
    return {
      state: () => transport.state(),
      send: (wire, sendOptions) => transport.send(wire, sendOptions),
      close: () => transport.close(),
      tryReserve() {
        const slot = transport.tryReserve();
        return slot === undefined ? undefined : slotOf(slot);
      },
      async reserve(reserveOptions) {
        if (moment === 'pending') die();
        const reservation = await transport.reserve(reserveOptions);
        return reservation.ok ? { ok: true, slot: slotOf(reservation.slot) } : reservation;
      },
    } satisfies Transport;
  };
}

async function main(plan: Plan): Promise<void> {
  toleratesBrokenConnects(process);
  const log = pino({ level: 'silent' });
  const wake = createRedisWake({ path: plan.database.redisPath }, { prefix: plan.database.redisPrefix, log });
  const node = new RelayNode(plan.database, wake, {
    transports: deadly(plan.moment),
  });
  await node.start();
  const answer = await call(node, 'relayCall', plan.input);
  process.stdout.write(JSON.stringify(answer));
  await node.stop();
  await wake.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2] ?? '{}') as Plan);
