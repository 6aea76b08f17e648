// The measured server, from the view of its clients.
import { type Agent, request } from 'node:http';

export interface Server {
  readonly name: string;
  /** The benchmark itself writes its files. */
  readonly isReadOnly: boolean;
  /** All processes involved. Their descendants count too. */
  readonly pids: readonly number[];
  put(name: string, body: Buffer): Promise<void>;
  /** Reads the whole object. */
  get(name: string): Promise<void>;
}

/** A request that must succeed. Its answer is read to the end. */
export function plainAsk(
  agent: Agent,
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer = Buffer.alloc(0),
): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = method === 'PUT' ? { 'content-length': body.length } : {};
    const asked = request(url, { method, agent, headers: { ...headers, ...length } }, (response) => {
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`${method} ${url}: ${statusCode}`));
      });
      response.resume();
    });
    asked.once('error', reject);
    asked.end(body);
  });
}
