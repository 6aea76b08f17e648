// Slow TCP clients: they send a byte now and then, nothing, or half a query, or do not read the answer. Other clients must still be
// answered, and the slow ones disconnected.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { questionOf } from './mutations.ts';
import { zone } from './world.ts';

const kinds = ['drips', 'silent', 'half', 'deaf'] as const;
const clientsOfEach = 15;
const deadlineMs = 60_000;

interface SlowResult {
  readonly faults: readonly string[];
}

/** `openConnections`: the server's count. */
export async function slowClients(port: number, openConnections: () => Promise<number>): Promise<SlowResult> {
  const faults: string[] = [];
  const question = framed(questionOf({ id: 1, name: `large.${zone}`, type: 28 }));
  const sockets = await Promise.all(
    kinds.flatMap((kind) => Array.from({ length: clientsOfEach }, () => slow(port, kind, question))),
  );
  const drip = setInterval(() => {
    for (const { socket, kind, sent } of sockets)
      if (kind === 'drips' && socket.writable) socket.write(question.subarray(sent.count, ++sent.count));
  }, 100);
  try {
    const untilMs = performance.now() + deadlineMs;
    for (let count = 0; ; count += 1) {
      const fault = await ordinary(port);
      if (fault !== undefined) faults.push(fault);
      const open = await openConnections();
      if (open === 0 && count > 5) break;
      if (performance.now() > untilMs) {
        faults.push(`${open} slow connections are still open`);
        break;
      }
      await sleep(50);
    }
  } finally {
    clearInterval(drip);
    for (const { socket } of sockets) socket.destroy();
  }
  return { faults };
}

async function slow(port: number, kind: (typeof kinds)[number], question: Buffer) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (kind === 'half') socket.write(question.subarray(0, 9));
  if (kind === 'deaf') {
    socket.pause();
    for (let count = 0; count < 10_000; count += 1) socket.write(question);
  }
  return { socket, kind, sent: { count: 0 } };
}

async function ordinary(port: number): Promise<string | undefined> {
  const socket: Socket = connect(port, '127.0.0.1');
  try {
    socket.write(framed(questionOf({ id: 2, name: `v4.${zone}`, type: 1 })));
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    return answer.includes(Buffer.from([192, 0, 2, 4])) ? undefined : 'an ordinary client got a different answer';
  } catch (error) {
    return `an ordinary client was not answered: ${(error as Error).message}`;
  } finally {
    socket.destroy();
  }
}

function framed(packet: Buffer): Buffer {
  return Buffer.concat([Buffer.from([packet.length >> 8, packet.length & 0xff]), packet]);
}
