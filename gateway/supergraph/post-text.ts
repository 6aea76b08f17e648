// A POST over a pool of connections that returns the whole answer. It avoids undici's stream for each answer, which costs as much as the rest of a
// small request.
import type { Dispatcher, Pool } from 'undici';

interface PostedText {
  readonly path: string;
  /** Alternating names and values. */
  readonly headers: string[];
  readonly body: Buffer;
  readonly signal: AbortSignal;
}

interface PostAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Rejects with the signal's reason, or with undici's error. */
export function postText(pool: Pool, { path, headers, body, signal }: PostedText): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    pool.dispatch({ path, method: 'POST', headers, body }, new WholeAnswer(signal, resolve, reject));
  });
}

class WholeAnswer implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal;
  readonly #resolve: (answer: PostAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onAbort = (): void => this.#controller?.abort(this.#signal.reason);
  #controller: Dispatcher.DispatchController | undefined;
  #statusCode = 0;
  #headers: PostAnswer['headers'] = {};
  readonly #chunks: Buffer[] = [];

  constructor(signal: AbortSignal, resolve: (answer: PostAnswer) => void, reject: (error: unknown) => void) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) controller.abort(this.#signal.reason);
  }

  /** The last response counts. Earlier ones are informational. */
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: PostAnswer['headers'],
  ): void {
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#resolve({ statusCode: this.#statusCode, headers: this.#headers, text: textOf(this.#chunks) });
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#reject(error);
  }
}

/** UTF-8, without a byte order mark. */
function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  const whole = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
  const isMarked = whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf;
  return whole.toString('utf8', isMarked ? 3 : 0);
}
