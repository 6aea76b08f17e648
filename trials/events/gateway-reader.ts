// A client of statusChanges through the gateway that uses a common library. It is dropped at random, resumes with its own last cursor, and
// logs every item.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { openCursor } from '../../platform/events/cursor.ts';
import type { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import { decodeId } from '../../platform/values/ids.ts';
import type { Random } from '../random.ts';
import type { LoggedItem } from './verdict.ts';

interface GatewayReaderOptions {
  /** Of the gateway. */
  readonly url: string;
  readonly token: string;
  /** It has the system's key, because it reads the order from cursors, which no client can do. */
  readonly cursors: CursorSealer;
  /** Arguments of statusChanges. */
  readonly filter: Readonly<Record<string, unknown>>;
  /** The fields that it selects of each change in addition to those that the log needs. Empty for none. */
  readonly fields: string;
  /** Undefined to start at the present. */
  readonly after: string | undefined;
  readonly random: Random;
  /** The longest time until it is dropped. Undefined for never, so that no reconnection hides a fault. */
  readonly longestMs: number | undefined;
}

interface StatusData {
  readonly statusChanges: {
    readonly cursor: string;
    readonly change: { readonly id: string; readonly subjectId: string; readonly subjectVersion: number } | null;
  };
}

const shortestMs = 20;
const shortAbsenceMs = 100;
/** Occasionally it stays away long enough to have a lot to catch up with. */
const [longAbsenceShare, longAbsenceMs] = [0.05, 4_000];
const mostRetries = 10_000;
const ackDeadlineMs = 10_000;
const firstItemDeadlineMs = 30_000;

export class GatewayReader {
  readonly items: LoggedItem[] = [];
  /** The sequence number up to which it must have everything. Undefined until known. */
  beginning: number | undefined;
  drops = 0;
  connections = 0;
  /** Events so far. */
  received = 0;
  /** Reasons for the end of its stream, or values that are not items. There must be none. */
  readonly faults: string[] = [];
  readonly #options: GatewayReaderOptions;
  readonly #client: Client;
  readonly #stopping = new AbortController();
  readonly #calm = new AbortController();
  #socket: WebSocket | undefined;
  #dropping: Promise<void> = Promise.resolve();

  constructor(options: GatewayReaderOptions) {
    this.#options = options;
    const { url, token, random, after } = options;
    this.beginning = after === undefined ? undefined : openCursor(options.cursors, after)?.seq;
    const opened = (socket: WebSocket) => {
      this.#socket = socket;
    };
    this.#client = createClient({
      url: `${url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: class extends WebSocket {
        constructor(address: string, protocols: string[]) {
          super(address, protocols);
          opened(this);
        }
      },
      connectionParams: { authorization: `Bearer ${token}` },
      connectionAckWaitTimeout: ackDeadlineMs,
      retryAttempts: mostRetries,
      retryWait: () => sleep(random.integer(0, random.next() < longAbsenceShare ? longAbsenceMs : shortAbsenceMs)),
      shouldRetry: () => true,
      on: {
        connected: () => {
          this.connections += 1;
        },
      },
    });
  }

  /** Without a cursor it resolves with the first item; with a cursor it resolves at once. Throws if none arrives. */
  start(): Promise<void> {
    const { filter, after, fields } = this.#options;
    const query = `subscription (
      $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $after: String
    ) {
      statusChanges(
        projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, after: $after
      ) { cursor change { id subjectId subjectVersion ${fields} } }
    }`;
    // The library sends this same object again when it reconnects, and the object then contains the newest cursor.
    const variables: Record<string, unknown> = { ...filter, after };
    return new Promise((resolve, reject) => {
      const fail = (fault: string) => {
        clearTimeout(late);
        if (this.#stopping.signal.aborted) return;
        this.faults.push(fault);
        reject(new Error(`a client failed: ${fault}`));
      };
      const late = setTimeout(() => fail(`no item within ${firstItemDeadlineMs} ms`), firstItemDeadlineMs);
      const begun = () => {
        clearTimeout(late);
        resolve();
      };
      this.#client.subscribe<StatusData>(
        { query, variables },
        {
          next: ({ data, errors }) => {
            if (data == null || errors !== undefined) return fail(`an item with errors: ${JSON.stringify(errors)}`);
            variables.after = data.statusChanges.cursor;
            this.#log(data.statusChanges);
            begun();
          },
          error: (error) => fail(`ended by ${describe(error)}`),
          complete: () => fail('ended by a complete'),
        },
      );
      if (after !== undefined) begun();
    });
  }

  /** From now on it is dropped repeatedly, until `stopDropping`. */
  startDropping(): void {
    const { longestMs } = this.#options;
    if (longestMs !== undefined) this.#dropping = this.#dropAtRandom(longestMs);
  }

  async stopDropping(): Promise<void> {
    this.#calm.abort();
    await this.#dropping;
  }

  /** Cuts the connection, as a network does. */
  drop(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.terminate();
    this.drops += 1;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.stopDropping();
    // Rejects if it fails to connect at the moment.
    await Promise.resolve(this.#client.dispose()).catch(() => undefined);
  }

  #log({ cursor, change }: StatusData['statusChanges']): void {
    const place = openCursor(this.#options.cursors, cursor);
    if (place === undefined) return void this.faults.push(`'${cursor}' is not a cursor`);
    this.beginning ??= change === null ? place.seq : place.seq - 1;
    const event =
      change === null
        ? undefined
        : {
            eventId: change.id,
            subjectId: decodeId(change.subjectId)?.key ?? '',
            version: change.subjectVersion,
          };
    if (event !== undefined) this.received += 1;
    this.items.push({ seq: place.seq, event, atMs: performance.now() });
  }

  async #dropAtRandom(longestMs: number): Promise<void> {
    const { signal } = this.#calm;
    while (!signal.aborted) {
      const readingMs = this.#options.random.integer(shortestMs, longestMs);
      await sleep(readingMs, undefined, { signal }).catch(() => {});
      if (!signal.aborted) this.drop();
    }
  }
}

/** Errors of the stream are a list; anything else describes the end of the connection. */
function describe(error: unknown): string {
  if (Array.isArray(error) || error instanceof Error)
    return error instanceof Error ? error.message : JSON.stringify(error);
  const { code, reason } = error as { readonly code?: number; readonly reason?: string };
  return `close ${code}: ${reason}`;
}
