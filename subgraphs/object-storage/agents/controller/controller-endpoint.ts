// The listener of a controller for the services of its own cluster and for other clusters' controllers. Both use mutual TLS and are
// identified by their machine's certificate. Servers pass on users' logins; other controllers fetch missing documents.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { HttpError, parseJson, readBody } from '../../../../platform/graph/http-body.ts';
import { InternalServer, sendJson } from '../../../../platform/graph/internal-server.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { type KnownCluster, ownCluster, peerOf } from '../../engine/federation/cluster-machines.ts';
import { serverRole } from '../../engine/peers/peer-wire.ts';
import { clusterOf } from '../../wire/cluster-names.ts';
import { controllerRole, documentsPath } from '../../wire/controller-wire.ts';
import type { SignedDocument } from '../../wire/documents/signed-document.ts';
import {
  type LoginAnswer,
  type LoginQuestion,
  loginPath,
  loginQuestion,
  mostLoginBytes,
} from '../../wire/login-wire.ts';

interface ControllerEndpointOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls: MutualTls;
  readonly log: Logger;
  /** Clusters that the documents name. */
  readonly clusters: () => readonly KnownCluster[];
  readonly logIn: (question: LoginQuestion) => Promise<LoginAnswer>;
  /** Documents after a generation, in order. */
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

  /** Rejects if the port is in use. */
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
        throw this.#refusal(request, machine, 'it is not a server of this cluster');
      return this.#counted('logins', mostLogins, async () => {
        const question = loginQuestion.safeParse(parseJson(await readBody(request, mostLoginBytes)));
        // The request has a password in it: don't quote it.
        if (!question.success) throw new HttpError(400, 'This is not the question of a login.');
        sendJson(response, 200, await this.#options.logIn(question.data));
      });
    }
    if (pathname === documentsPath && request.method === 'GET') {
      if (machine.role !== controllerRole) throw this.#refusal(request, machine, 'it is not a controller');
      const after = count.safeParse(searchParams.get('after'));
      if (!after.success) throw new HttpError(400, 'after is a generation.');
      return this.#counted('readers', mostReaders, async () =>
        sendJson(response, 200, { documents: await this.#options.documents(after.data) }),
      );
    }
    throw new HttpError(404, 'No such path.');
  }

  /** A refused machine has no business here: its connection is closed too. */
  #refusal({ socket }: IncomingMessage, machine: MachineName | undefined, why: string): HttpError {
    this.#options.log.warn({ machine: machine?.name, address: socket.remoteAddress, why }, 'a machine was refused');
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
