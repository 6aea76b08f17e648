// The bytes of a blob while another cluster sends them.
import { BlobDamagedError } from '../blobs/blob-errors.ts';
import type { Reply } from './peer-place.ts';
import { damagedTrailer } from './peer-wire.ts';

/** What nobody begins to read is let go; afterwards the sender's silence counts. */
const mostUnreadMs = 60_000;

export interface PeerBodyOptions {
  readonly id: string;
  readonly reply: Reply;
  /** Of what was asked for. */
  readonly sizeBytes: number;
  readonly ended: () => void;
}

export class PeerBody implements AsyncIterableIterator<Buffer> {
  readonly #options: PeerBodyOptions;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #unread: NodeJS.Timeout;
  #receivedBytes = 0;
  #isOver = false;
  #isGivenUp = false;

  constructor(options: PeerBodyOptions) {
    this.#options = options;
    this.#chunks = options.reply.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#unread = setTimeout(() => {
      this.#isGivenUp = true;
      void this.return();
    }, mostUnreadMs).unref();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer>> {
    if (this.#isGivenUp) throw new Error(`the blob ${this.#options.id} was not read for ${mostUnreadMs} ms`);
    if (this.#isOver) return { done: true, value: undefined };
    clearTimeout(this.#unread);
    try {
      const next = await this.#chunks.next();
      if (next.done === true) {
        this.#requireWhole();
        return this.return();
      }
      this.#receivedBytes += next.value.length;
      if (this.#receivedBytes > this.#options.sizeBytes)
        throw new Error(`${this.#options.id}: more than was asked for`);
      return next;
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Buffer>> {
    if (!this.#isOver) {
      this.#isOver = true;
      clearTimeout(this.#unread);
      this.#options.reply.body.on('error', () => undefined).destroy();
      this.#options.ended();
    }
    return { done: true, value: undefined };
  }

  #requireWhole(): void {
    const { id, reply, sizeBytes } = this.#options;
    const damaged = reply.trailers[damagedTrailer];
    if (damaged !== undefined) throw new BlobDamagedError(id, damaged === 'undefined' ? undefined : Number(damaged));
    if (this.#receivedBytes < sizeBytes)
      throw new Error(`the blob ${id} ended after ${this.#receivedBytes} of ${sizeBytes} bytes`);
  }
}
