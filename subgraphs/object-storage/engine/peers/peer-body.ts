// Streams the bytes of a blob that another cluster sends.
import { BlobDamagedError } from '../blobs/blob-errors.ts';
import type { Reply } from './peer-place.ts';
import { damagedTrailer } from './peer-wire.ts';

/** A body that nobody starts to read is closed after this time. Once reading has started, the sender's silence counts. */
const mostUnreadMs = 60_000;

interface PeerBodyOptions {
  readonly id: string;
  readonly reply: Reply;
  /** Size of the requested range. */
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
    if (this.#isGivenUp) throw new Error(`nobody read the blob ${this.#options.id} for ${mostUnreadMs} ms`);
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
        throw new Error(`${this.#options.id}: more bytes than requested`);
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
