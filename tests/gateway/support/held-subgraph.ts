// A server in place of a subgraph. It answers when the test decides.
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../support/machine/temporary-folder.ts';

interface HeldRequest {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  answer(data: unknown, errors?: readonly object[]): void;
}

export class HeldSubgraph {
  readonly requests: HeldRequest[] = [];
  /** The number of health requests. */
  polls = 0;
  readonly #server: Server;
  readonly #answers = new Set<ServerResponse>();

  constructor() {
    this.#server = createServer((request, response) => {
      if (request.method === 'GET') {
        this.polls += 1;
        return void response.end('{}');
      }
      this.#answers.add(response);
      response.once('close', () => this.#answers.delete(response));
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const answer = (data: unknown, errors?: readonly object[]) => response.end(JSON.stringify({ data, errors }));
        this.requests.push({ body: String(Buffer.concat(parts)), headers: request.headers, answer });
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The number of requests whose client still waits. */
  get open(): number {
    return this.#answers.size;
  }

  async until(count: number): Promise<readonly HeldRequest[]> {
    await until(() => this.requests.length >= count);
    return this.requests;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
