// Connections to one service of a cluster, a controller or a resolver: by mutual TLS, to a machine of that role in the cluster that is meant, and
// no other.
import { Pool } from 'undici';
import { connectorOf, type MutualTls } from '../../../platform/graph/tls.ts';
import type { MachineName } from '../../../platform/machines/machine.ts';
import { peerOf } from './cluster-machines.ts';

export interface ServicePoolOptions {
  readonly tls: MutualTls;
  /** Of the service's machine. */
  readonly role: string;
  readonly isMeant: (machine: MachineName) => boolean;
  readonly connections: number;
  readonly mostAnswerBytes: number;
}

export interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON. */
  readonly question?: unknown;
  readonly signal: AbortSignal;
}

const connectMs = 2_000;

export class ServicePool {
  readonly #pool: Pool;
  readonly #url: string;

  constructor(url: string, { tls, role, isMeant, connections, mostAnswerBytes }: ServicePoolOptions) {
    const connector = connectorOf(tls, role, connectMs);
    this.#url = url;
    this.#pool = new Pool(new URL(url).origin, {
      ...{ connections, maxResponseSize: mostAnswerBytes },
      connect: (options, callback) =>
        connector(options, (error, socket) => {
          if (error !== null) return callback(error, null);
          const machine = peerOf(socket);
          if (machine !== undefined && isMeant(machine)) return callback(null, socket);
          socket.on('error', () => undefined).destroy();
          callback(new Error(`${machine?.name} answers at ${url}, which is no ${role} of that cluster`), null);
        }),
    });
  }

  /** The answer's JSON; rejects for any status but 200. */
  async ask({ method, path, question, signal }: ServiceRequest): Promise<unknown> {
    const { statusCode, body } = await this.#pool.request({
      ...{ method, path, signal },
      ...(question === undefined
        ? {}
        : { body: JSON.stringify(question), headers: { 'content-type': 'application/json' } }),
    });
    const answer: unknown = await body.json();
    if (statusCode !== 200) throw new Error(`the service at ${this.#url} answered with status ${statusCode}`);
    return answer;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
