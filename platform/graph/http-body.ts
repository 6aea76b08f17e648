// Reads a JSON body of bounded size.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

/** A request that can't be accepted, with its HTTP status. */
export class HttpError extends Error {
  readonly status: number;
  /** Fields of the answer, in addition to the message. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.details = details;
  }
}

/** The body's bytes; throws HttpError 413 above `maxBytes`. The server's requestTimeout bounds the time. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new HttpError(413, `The request body is larger than ${maxBytes} bytes.`);
  const stated = request.headers['content-length'];
  if (Number(stated ?? 0) > maxBytes) throw tooLarge();
  if (stated !== undefined && !request.destroyed) return readStated(request);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A body of stated length, which Node enforces. Half of the cost of an iteration, which is on the way of every request. */
function readStated(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => {
      if (!request.readableEnded) reject(new Error('The request was cut off.'));
    });
  });
}

/** The body as text; throws HttpError 400 if it is not UTF-8: a decoder would replace characters, and they would be stored so. */
export function bodyText(body: Buffer): string {
  if (!isUtf8(body)) throw new HttpError(400, 'The request body is not UTF-8.');
  return body.toString('utf8');
}

/** The body as JSON; throws HttpError 400 when it is invalid. */
export function parseJson(body: Buffer): unknown {
  const text = bodyText(body);
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, 'The request body is not JSON.');
  }
}
