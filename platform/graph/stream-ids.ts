// Gives each subscribe message of a socket its own id. graphql-ws only asks whether an id exists. If a client completed a stream
// and used its id again, graphql-ws would take the old stream for the new one, and the old one would never end.
import { MessageType } from 'graphql-ws';

/** The start of a frame that graphql-ws writes for a stream; our ids are digits. */
const frameHead = /^\{"id":"(\d+)","type":"(\w+)"/;

interface ClientMessage {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly payload?: unknown;
}

/** The ids of the streams on one socket. Clients know their own ids, and the protocol server knows ours. */
export class StreamIds {
  /** Open streams: ours by the client's, and the reverse. */
  readonly #ours = new Map<string, string>();
  readonly #clients = new Map<string, string>();
  #made = 0;

  /** A message for the protocol server; `inUse` when it subscribes with the id of an open stream. */
  fromClient(text: string): string | { readonly inUse: string } {
    const message = parsed(text);
    if (message === undefined || typeof message.id !== 'string' || message.id === '') return text;
    const { id, type } = message;
    if (type === MessageType.Subscribe) {
      if (this.#ours.has(id)) return { inUse: id };
      this.#made += 1;
      const ours = String(this.#made);
      this.#ours.set(id, ours);
      this.#clients.set(ours, id);
      return JSON.stringify({ ...message, id: ours, payload: withQuery(message.payload) });
    }
    if (type !== MessageType.Complete) return text;
    const ours = this.#ours.get(id);
    // Nothing has this id: the server ignores it too.
    if (ours === undefined) return JSON.stringify({ ...message, id: '0' });
    this.end(ours);
    return JSON.stringify({ ...message, id: ours });
  }

  /** The frame with the client's id; undefined when its client has completed the stream. */
  toClient(frame: string): string | undefined {
    const [head, ours, type] = frameHead.exec(frame) ?? [];
    if (head === undefined || ours === undefined) return frame;
    const id = this.#clients.get(ours);
    if (id === undefined) return undefined;
    if (type !== MessageType.Next) this.end(ours);
    return `{"id":${JSON.stringify(id)},"type":"${type}"${frame.slice(head.length)}`;
  }

  /** The client's id of an open stream. */
  clientId(ours: string): string | undefined {
    return this.#clients.get(ours);
  }

  /** Frees the client's id. */
  end(ours: string): void {
    const id = this.#clients.get(ours);
    this.#clients.delete(ours);
    if (id !== undefined) this.#ours.delete(id);
  }
}

/** graphql-ws closes the socket for a payload without a query, even if its extensions name a document. */
function withQuery(payload: unknown): unknown {
  const { query, extensions } = (payload ?? {}) as { readonly query?: unknown; readonly extensions?: unknown };
  const { persistedQuery, documentId } = (extensions ?? {}) as Readonly<Record<string, unknown>>;
  const isNamed = persistedQuery != null || documentId != null;
  return query == null && isNamed ? { ...(payload as object), query: '' } : payload;
}

function parsed(text: string): ClientMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}
