// One TCP connection (RFC 7766): messages with their length before them, answered in order. One rule closes connections of slow readers, slow writers
// and idle clients alike: no complete question arrived for a while. A client that does not read its answers is not read from.
import type { Socket } from 'node:net';
import type { Answering } from './listener.ts';

const lengthBytes = 2;
/** A question with all its options is shorter. */
const longestQuestionBytes = 4_096;
/** Limit of unsent answers. */
const mostWaitingBytes = 65_536;

interface ConnectionOptions {
  readonly address: string;
  readonly answer: Answering;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

export class TcpConnection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  #got: Buffer = Buffer.alloc(0);
  #lastQuestionMs: number;
  #ending = false;
  /** The other side sends no more. */
  #ended = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#lastQuestionMs = options.now();
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (part) => {
      this.#got = this.#got.length === 0 ? part : Buffer.concat([this.#got, part]);
      this.#work();
    });
    socket.on('drain', () => this.#work());
    socket.on('end', () => {
      this.#ended = true;
      this.#work();
    });
  }

  /** Time of the last complete question, or of the beginning. */
  get lastQuestionMs(): number {
    return this.#lastQuestionMs;
  }

  /** Accepts no more queries. Pending answers are still sent. */
  end(): void {
    this.#ending = true;
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #work(): void {
    const socket = this.#socket;
    while (!this.#ending && socket.writableLength < mostWaitingBytes) {
      const length = this.#got.length < lengthBytes ? undefined : this.#got.readUInt16BE(0);
      if (length === undefined || (length <= longestQuestionBytes && this.#got.length < lengthBytes + length)) break;
      if (length > longestQuestionBytes) {
        this.destroy();
        return;
      }
      const packet = this.#got.subarray(lengthBytes, lengthBytes + length);
      this.#got = this.#got.subarray(lengthBytes + length);
      const { address, answer, now } = this.#options;
      const bytes = answer(packet, { address, udp: false });
      // A client that sends invalid queries is not worth a connection.
      if (bytes === undefined) {
        this.destroy();
        return;
      }
      this.#lastQuestionMs = now();
      const head = Buffer.allocUnsafe(lengthBytes);
      head.writeUInt16BE(bytes.length);
      socket.cork();
      socket.write(head);
      socket.write(bytes);
      socket.uncork();
    }
    if (socket.writableLength >= mostWaitingBytes) socket.pause();
    else if (this.#ended) socket.end();
    else socket.resume();
  }
}
