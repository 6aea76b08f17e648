// Queries a name server at a steady rate from a separate process, and judges each answer.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { answerParent } from '../../measure/child.ts';

export interface LoadOrder {
  readonly port: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly names: readonly string[];
  /** Requests signatures. */
  readonly signed: boolean;
  /** IPv4 addresses. Each answer must have one or more of these records, and no others. */
  readonly allowed: readonly string[];
}

export interface LoadResult {
  readonly asked: number;
  readonly answered: number;
  readonly wrong: number;
}

const sockets = 8;

answerParent(async (order: LoadOrder): Promise<LoadResult> => {
  const { port, seconds, perSecond, names, signed, allowed } = order;
  const packets = names.map((name) => question(name, signed));
  const known = new Set(allowed.map((address) => Buffer.from(address.split('.').map(Number)).readUInt32BE(0)));
  const result = { asked: 0, answered: 0, wrong: 0 };
  const open = await Promise.all(Array.from({ length: sockets }, () => socketTo(port)));
  for (const socket of open)
    socket.on('message', (reply) => {
      result.answered += 1;
      if (!isRight(reply, known, signed)) result.wrong += 1;
    });
  const fromMs = performance.now();
  let next = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const ms = performance.now() - fromMs;
      // After a pause of the machine, missed queries are not sent in a burst.
      const due = Math.min(Math.floor((Math.min(ms, seconds * 1_000) * perSecond) / 1_000), result.asked + 100);
      for (; result.asked < due; result.asked += 1) {
        next = (next + 7_919) % packets.length;
        const packet = packets[next] as Buffer;
        packet.writeUInt16BE(result.asked & 0xffff, 0);
        open[result.asked % sockets]?.send(packet);
      }
      if (ms < seconds * 1_000) return;
      clearInterval(timer);
      setTimeout(resolve, 100);
    }, 1);
  });
  for (const socket of open) socket.close();
  return result;
});

async function socketTo(port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

function question(name: string, signed: boolean): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const asked = Buffer.from([...labels.flatMap((label) => [label.length, ...Buffer.from(label)]), 0, 0, 1, 0, 1]);
  const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, signed ? 0x80 : 0, 0, 0, 0]);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]), asked, opt]);
}

/** The records begin after the question, with compressed owner names; a signed set ends with one more record. */
function isRight(reply: Buffer, known: ReadonlySet<number>, signed: boolean): boolean {
  if ((reply.readUInt16BE(2) & 0x820f) !== 0x8000) return false;
  let at = 12;
  while ((reply[at] ?? 0) !== 0) at += (reply[at] ?? 0) + 1;
  at += 5;
  const records = reply.readUInt16BE(6);
  const addresses = signed ? records - 1 : records;
  if (addresses < 1) return false;
  for (let index = 0; index < addresses; index += 1, at += 16)
    if (reply.readUInt32BE(at) >>> 16 !== 0xc00c || !known.has(reply.readUInt32BE(at + 12))) return false;
  return !signed || reply.readUInt16BE(at + 2) === 46;
}
