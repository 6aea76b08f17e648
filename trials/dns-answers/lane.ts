// A UDP socket that sends one packet at a time, followed by a query with a known answer. When that answer arrives, all answers to the first
// packet have arrived.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { questionOf } from './mutations.ts';
import { zone } from './world.ts';

const deadlineMs = 5_000;

export class Lane {
  readonly #socket: Socket;
  #heard: (reply: Buffer) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (reply) => this.#heard(reply));
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<Lane> {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Lane(socket);
  }

  /** Undefined if the server no longer answers. */
  async repliesTo(packet: Buffer): Promise<Buffer[] | undefined> {
    const id = packet.length >= 2 ? packet.readUInt16BE(0) ^ 1 : 1;
    const sentinel = questionOf({ id, name: `v4.${zone}`, type: 1 });
    const replies: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<Buffer[] | undefined>();
    const late = setTimeout(() => resolve(undefined), deadlineMs);
    this.#heard = (reply) => {
      if (reply.readUInt16BE(0) === id) resolve(replies);
      else replies.push(reply);
    };
    this.#socket.send(packet);
    this.#socket.send(sentinel);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    this.#socket.close();
  }
}
