// Connections to one controller or resolver of a cluster, by mutual TLS. The other end must be a machine with that role in that cluster.
import { Pool } from 'undici';
import { connectorOf } from '../../../../platform/graph/connector.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { peerOf } from './cluster-machines.ts';

interface ServicePoolOptions {
  readonly tls: MutualTls;
  /** Role of the service's machine. */
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
          callback(new Error(`${machine?.name}, which is not a ${role} of that cluster, answers at ${url}`), null);
        }),
    });
  }

  /** Returns the answer's JSON. Rejects for any status but 200. */
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
