// The iterable that graphql-ws reads for a subscription: it writes its frames itself, from text that was serialised once for all
// clients, and so yields nothing. The next item is fetched after the kernel has taken the last one.

import type { SocketExtra } from '../../platform/graph/websocket.ts';
import { pullStream } from '../../platform/work/pull-stream.ts';
import { formatError } from '../access/without-values.ts';
import type { StreamReader } from './shared-stream.ts';
import { StreamEnded } from './upstream.ts';

interface FrameStreamOptions {
  /** The protocol server's id of the subscription. */
  readonly id: string;
  readonly extra: SocketExtra;
  readonly reader: Pick<StreamReader, 'next' | 'close'>;
  readonly onDelivery: () => void;
  readonly onClosed: () => void;
}

/** Never yields. Ends with the subscription. */
export function frameStream(options: FrameStreamOptions): AsyncGenerator<never, void, void> {
  const { id, extra, reader } = options;
  const head = `{"id":${JSON.stringify(extra.streamIds.clientId(id))},"type":`;
  let closed = false;
  const pump = async (): Promise<void> => {
    for (;;) {
      const item = await reader.next();
      if (item === undefined || closed) return;
      await extra.send(`${head}"next","payload":${item.text}}`);
      options.onDelivery();
    }
  };
  return pullStream<never>({
    async next() {
      try {
        await pump();
      } catch (error) {
        // After any other error the socket is closed, and the client gone.
        if (error instanceof StreamEnded && !closed) {
          // No complete frame follows the error.
          extra.streamIds.end(id);
          await extra
            .send(`${head}"error","payload":${JSON.stringify(error.errors.map(formatError))}}`)
            .catch(() => undefined);
        }
      }
      return undefined;
    },
    end() {
      closed = true;
      reader.close();
      options.onClosed();
    },
  });
}
