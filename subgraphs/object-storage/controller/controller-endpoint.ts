// Where the services of a controller's own cluster, and the controllers of other clusters, reach it: by mutual TLS, each known by its machine's
// certificate. Servers bring the logins of users; other clusters' controllers take documents that they lack.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { HttpError, parseJson, readBody } from '../../../platform/graph/http-body.ts';
import { InternalServer, sendJson } from '../../../platform/graph/internal-server.ts';
import type { MutualTls } from '../../../platform/graph/tls.ts';
import type { Logger } from '../../../platform/log.ts';
import type { MachineName } from '../../../platform/machines/machine.ts';
import type { SignedDocument } from '../documents/signed-document.ts';
import { serverRole } from '../peers/peer-wire.ts';
import { clusterOf } from '../wire/cluster-names.ts';
import { controllerRole, documentsPath } from '../wire/controller-wire.ts';
import { type LoginAnswer, type LoginQuestion, loginPath, loginQuestion, mostLoginBytes } from '../wire/login-wire.ts';
import { type KnownCluster, ownCluster, peerOf } from './cluster-machines.ts';

export interface ControllerEndpointOptions {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly tls: MutualTls;
  readonly log: Logger;
  /** As the documents name them. */
  readonly clusters: () => readonly KnownCluster[];
  readonly logIn: (question: LoginQuestion) => Promise<LoginAnswer>;
  /** Those after a generation, in their order. */
  readonly documents: (after: number) => Promise<readonly SignedDocument[]>;
}

const mostLogins = 64;
const mostReaders = 16;
const count = z.coerce.number().int().nonnegative();

export class ControllerEndpoint {
  readonly #options: ControllerEndpointOptions;
  readonly #server: InternalServer;
  readonly #active = { logins: 0, readers: 0 };
  #isDraining = false;
  #port = 0;

  private constructor(options: ControllerEndpointOptions) {
    this.#options = options;
    const { host, port, tls, log } = options;
    this.#server = new InternalServer({
      ...{ name: 'the controller of object storage', host, port, tls, log, roles: [serverRole, controllerRole] },
      answer: (request, response) => this.#answer(request, response),
    });
  }

  /** Rejects when the port is in use. */
  static async listen(options: ControllerEndpointOptions): Promise<ControllerEndpoint> {
    const endpoint = new ControllerEndpoint(options);
    endpoint.#port = (await endpoint.#server.listen()).port;
    return endpoint;
  }

  get port(): number {
    return this.#port;
  }

  drain(): Promise<void> {
    this.#isDraining = true;
    return this.#server.drain();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isDraining) response.setHeader('connection', 'close');
    const machine = peerOf(request.socket);
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://controller');
    const clusters = this.#options.clusters();
    const cluster = machine && clusterOf(clusters, machine);
    if (machine === undefined || cluster === undefined) throw this.#refusal(request, machine, 'no document names it');
    if (pathname === loginPath && request.method === 'POST') {
      if (machine.role !== serverRole || cluster.number !== ownCluster(clusters, this.#options.tls)?.number)
        throw this.#refusal(request, machine, 'it is no server of this cluster');
      return this.#counted('logins', mostLogins, async () => {
        const question = loginQuestion.safeParse(parseJson(await readBody(request, mostLoginBytes)));
        // What was sent has a password in it.
        if (!question.success) throw new HttpError(400, 'This is not the question of a login.');
        sendJson(response, 200, await this.#options.logIn(question.data));
      });
    }
    if (pathname === documentsPath && request.method === 'GET') {
      if (machine.role !== controllerRole) throw this.#refusal(request, machine, 'it is no controller');
      const after = count.safeParse(searchParams.get('after'));
      if (!after.success) throw new HttpError(400, 'after is a generation.');
      return this.#counted('readers', mostReaders, async () =>
        sendJson(response, 200, { documents: await this.#options.documents(after.data) }),
      );
    }
    throw new HttpError(404, 'No such path.');
  }

  /** Who is refused has no business here: its connection ends, too. */
  #refusal({ socket }: IncomingMessage, machine: MachineName | undefined, why: string): HttpError {
    this.#options.log.warn({ machine: machine?.name, address: socket.remoteAddress, why }, 'a machine is refused');
    return new HttpError(403, `This controller does not answer your machine: ${why}.`);
  }

  async #counted(what: 'logins' | 'readers', most: number, work: () => Promise<void>): Promise<void> {
    if (this.#active[what] >= most) throw new HttpError(503, 'Too many requests at once: try again.');
    this.#active[what] += 1;
    try {
      await work();
    } finally {
      this.#active[what] -= 1;
    }
  }
}
