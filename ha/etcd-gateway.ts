// Calls to one member of etcd through its JSON gateway: a call with one answer, or with a stream of answers. A server's watchdog loads it too, so it
// needs no package.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** PEM texts. */
export interface EtcdClientTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Whether a call that failed may have had an effect. */
export type Fate = 'none' | 'unknown';

export class EtcdError extends Error {
  readonly fate: Fate;
  constructor(message: string, fate: Fate, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EtcdError';
    this.fate = fate;
  }
}

const mostAnswerBytes = 1024 * 1024;
/** For the rest of an answer whose first line is known. */
const restMs = 1_000;

interface PostLimits {
  readonly timeoutMs: number;
  readonly connectMs?: number;
  /** The answer is not needed any more. */
  readonly signal?: AbortSignal | undefined;
}

export class EtcdGateway {
  #tls: EtcdClientTls | undefined;
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: 16 }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: 16 }),
  };

  constructor(tls: EtcdClientTls | undefined) {
    this.#tls = tls;
  }

  /** For new connections. */
  use(tls: EtcdClientTls): void {
    this.#tls = tls;
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /** The first answer. Throws EtcdError. `connectMs`: time for the connection alone, within `timeoutMs`. */
  async post(
    url: string,
    path: string,
    body: object,
    { timeoutMs, connectMs = timeoutMs, signal }: PostLimits,
  ): Promise<unknown> {
    const endsAtMs = performance.now() + timeoutMs;
    const ending = new AbortController();
    const end = () => ending.abort();
    signal?.addEventListener('abort', end, { once: true });
    const limits = { timeoutMs, connectMs, signal: ending.signal };
    const answer = await this.#open(url, path, body, limits).finally(() => signal?.removeEventListener('abort', end));
    const leftMs = Math.max(1, endsAtMs - performance.now());
    const timer = setTimeout(() => answer.destroy(new Error(`no whole answer within ${timeoutMs} ms`)), leftMs);
    try {
      const line = await firstLine(answer, mostAnswerBytes);
      return line === undefined ? {} : JSON.parse(line);
    } catch (error) {
      throw new EtcdError(`etcd at ${url}: ${String(error)}`, 'unknown', { cause: error });
    } finally {
      clearTimeout(timer);
      // A renewal's answer is a stream, which ends right after its first line: the connection is then used again.
      if (!answer.complete && !answer.destroyed) endSoon(answer);
    }
  }

  /** Yields answers until the signal aborts. Throws EtcdError when the connection breaks. */
  async *stream(
    url: string,
    path: string,
    body: object,
    timeoutMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<unknown> {
    const answer = await this.#open(url, path, body, { timeoutMs, connectMs: timeoutMs, signal });
    try {
      for await (const line of linesOf(answer, mostAnswerBytes)) yield JSON.parse(line);
    } catch (error) {
      throw new EtcdError(`etcd: the watch at ${url} broke: ${String(error)}`, 'none');
    } finally {
      answer.destroy();
    }
  }

  /** Resolves with an answer of status 200 whose body was not read yet. */
  #open(
    url: string,
    path: string,
    body: object,
    {
      timeoutMs,
      connectMs,
      signal,
    }: Required<Pick<PostLimits, 'timeoutMs' | 'connectMs'>> & Pick<PostLimits, 'signal'>,
  ): Promise<IncomingMessage> {
    const target = new URL(path, url);
    const text = JSON.stringify(body);
    const options: RequestOptions = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
    };
    const isTls = target.protocol === 'https:';
    const agent = isTls ? this.#agents.https : this.#agents.http;
    return new Promise((resolve, reject) => {
      const sent = isTls
        ? httpsRequest(target, { ...options, ...this.#tls, agent })
        : httpRequest(target, { ...options, agent });
      let connected = false;
      const endsAtMs = performance.now() + timeoutMs;
      const late = (ms: number, what: string) =>
        setTimeout(() => sent.destroy(new Error(`no ${what} within ${Math.ceil(ms)} ms`)), Math.max(1, ms));
      let timer = late(connectMs, 'connection');
      const onConnected = () => {
        connected = true;
        clearTimeout(timer);
        timer = late(endsAtMs - performance.now(), 'answer');
      };
      const onAbort = () => sent.destroy(new Error('ended'));
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      const forget = () => clearTimeout(timer);
      sent.once('socket', (socket) => {
        if (!socket.connecting) onConnected();
        else socket.once(isTls ? 'secureConnect' : 'connect', onConnected);
      });
      sent.on('error', (error) => {
        forget();
        reject(new EtcdError(`etcd at ${url}: ${error.message}`, connected ? 'unknown' : 'none', { cause: error }));
      });
      sent.once('close', () => signal?.removeEventListener('abort', onAbort));
      sent.once('response', (answer) => {
        if (answer.statusCode === 200) {
          forget();
          return resolve(answer);
        }
        refusal(answer)
          .then((message) => reject(new EtcdError(`etcd at ${url}: ${message}`, fateOf(message))), reject)
          .finally(forget);
      });
      sent.end(text);
    });
  }
}

async function refusal(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const line of linesOf(answer, mostAnswerBytes)) {
      text = line;
      break;
    }
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : `status ${answer.statusCode}`;
  } catch {
    return `status ${answer.statusCode}`;
  }
}

/** Errors that etcd returns before it proposes a change (`api/v3rpc/rpctypes/error.go`). A time-out may come after a proposal. */
function fateOf(message: string): Fate {
  return /not found|no leader|duplicate key|compacted|too many|invalid|not capable|space exceeded|for learner|in sync with leader/.test(
    message,
  )
    ? 'none'
    : 'unknown';
}

/** Reads on after it, so that the connection can be used again. Undefined if the answer is empty. */
function firstLine(answer: IncomingMessage, mostBytes: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const found = (until: number): string | undefined => {
      const line = text.slice(0, until).trim();
      return line === '' ? undefined : line;
    };
    answer.setEncoding('utf8');
    answer.on('data', (part: string) => {
      if (text.length > mostBytes) return;
      text += part;
      const end = text.trimStart().indexOf('\n');
      if (end >= 0) resolve(found(text.length - text.trimStart().length + end));
      else if (text.length > mostBytes) reject(new Error(`a line of the answer has more than ${mostBytes} bytes`));
    });
    answer.once('end', () => resolve(found(text.length)));
    answer.once('error', reject);
    answer.once('close', () => reject(new Error('the connection ended amid the answer')));
  });
}

function endSoon(answer: IncomingMessage): void {
  const timer = setTimeout(() => answer.destroy(), restMs).unref();
  answer.on('error', () => undefined).once('close', () => clearTimeout(timer));
}

async function* linesOf(answer: IncomingMessage, mostBytes: number): AsyncGenerator<string> {
  let rest = '';
  answer.setEncoding('utf8');
  for await (const part of answer) {
    rest += part;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (line.trim() !== '') yield line;
    }
    if (rest.length > mostBytes) throw new Error(`a line of the answer has more than ${mostBytes} bytes`);
  }
  if (rest.trim() !== '') yield rest;
}
