// One subscription as an answer of Server-Sent Events. The next item is fetched after the kernel has accepted the last one, so a slow client costs
// only its position in the ring, and one event in memory.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { SocketClose } from '../../platform/errors/errors.ts';
import type { ConnectionLimits } from '../access/limits.ts';
import { formatError } from '../access/without-values.ts';
import { completeEvent, eventStreamHeaders, heartbeat, nextEvent } from '../http/server-sent-events.ts';
import type { Closable } from './closable.ts';
import type { StreamReader } from './shared-stream.ts';
import { StreamEnded } from './upstream.ts';

export type ReadingLimits = Pick<ConnectionLimits, 'readWithinMs' | 'slowestBytesPerSecond'>;

export class EventStream implements Closable {
  readonly #response: ServerResponse;
  readonly #reader: Pick<StreamReader, 'next' | 'close'>;
  readonly #reading: ReadingLimits;
  /** Aborts when no more items are sent. */
  readonly #over = new AbortController();
  #reason: SocketClose | undefined;
  #isClosed = false;

  constructor(response: ServerResponse, reader: Pick<StreamReader, 'next' | 'close'>, reading: ReadingLimits) {
    this.#response = response;
    this.#reader = reader;
    this.#reading = reading;
    response.once('close', () => {
      this.#isClosed = true;
      this.#stop();
    });
  }

  isOpen(): boolean {
    return !this.#over.signal.aborted;
  }

  close(reason: SocketClose): void {
    if (!this.isOpen()) return;
    this.#reason = reason;
    this.#stop();
  }

  terminate(): void {
    this.#response.destroy();
  }

  onceClosed(listener: () => void): void {
    if (this.#isClosed) listener();
    else this.#response.once('close', listener);
  }

  /** Skips clients that do not read, because the data would only fill the memory. */
  beat(): void {
    if (this.isOpen() && !this.#response.writableNeedDrain) this.#response.write(heartbeat);
  }

  /** Runs until the subscription ends, the client disconnects, or the stream is closed. */
  async run(onDelivery: () => void): Promise<void> {
    openEventStream(this.#response);
    let errors: readonly GraphQLFormattedError[] = [];
    try {
      for (let item = await this.#reader.next(); item !== undefined && this.isOpen(); item = await this.#reader.next())
        if (await this.#write(nextEvent(`${item.text}`, item.cursor.text))) onDelivery();
    } catch (error) {
      if (!(error instanceof StreamEnded)) throw error;
      errors = error.errors;
    } finally {
      this.#stop();
    }
    if (this.#reason !== undefined) errors = [errorOf(this.#reason)];
    endEventStream(this.#response, errors);
  }

  #stop(): void {
    this.#over.abort();
    this.#reader.close();
  }

  /** False after the end of the stream. */
  async #write(event: string): Promise<boolean> {
    if (this.#response.write(event)) return true;
    const { readWithinMs, slowestBytesPerSecond } = this.#reading;
    const mostMs = readWithinMs + (Buffer.byteLength(event) / slowestBytesPerSecond) * 1000;
    const late = setTimeout(() => this.terminate(), mostMs);
    late.unref();
    try {
      await once(this.#response, 'drain', { signal: this.#over.signal });
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(late);
    }
  }
}

/** Disables reuse of its connection, so that the end of a stream is also the end of its connection when the address moves. */
export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, { ...eventStreamHeaders, connection: 'close' });
  // Some clients see the answer only after its first byte.
  response.write(heartbeat);
}

export function endEventStream(response: ServerResponse, errors: readonly GraphQLFormattedError[]): void {
  if (response.destroyed) return;
  const last = errors.length === 0 ? '' : nextEvent(JSON.stringify({ errors: errors.map(formatError) }));
  response.end(`${last}${completeEvent}`);
}

function errorOf({ error = 'INTERNAL', reason }: SocketClose): GraphQLFormattedError {
  return { message: reason, extensions: { code: error } };
}
