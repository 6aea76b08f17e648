// Receivers of alerts: an HTTPS server that records its requests, and a mail server.
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { TestCertificates } from '../../../support/product/certificates.ts';

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export class Receiver {
  readonly received: Received[] = [];
  /** Status of the next answers. Undefined: it does not answer. */
  status: number | undefined = 200;
  /** Peak number of unanswered requests. */
  mostAtOnce = 0;
  #open = 0;
  readonly #server: Server;

  private constructor({ cert, key }: TestCertificates) {
    this.#server = createServer({ cert, key }, (request, response) => {
      this.#open += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
      response.once('close', () => {
        this.#open -= 1;
      });
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        this.received.push({
          ...{ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString('utf8') },
        });
        if (this.status !== undefined) response.writeHead(this.status).end();
      });
    });
  }

  static async open(certificates: TestCertificates): Promise<Receiver> {
    const receiver = new Receiver(certificates);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  url(path = '/hook?token=hidden'): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly isEncrypted: boolean;
  readonly user: string | null;
}

export class MailReceiver {
  readonly received: ReceivedMail[] = [];
  readonly #server: SMTPServer;

  private constructor({ cert, key }: TestCertificates, options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      ...{ cert, key, authOptional: false, logger: false, ...options },
      onAuth: ({ username = '', password }, _session, done) => {
        if (password === 'right') done(null, { user: username });
        else done(new Error('wrong password'));
      },
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.received.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            text: Buffer.concat(parts).toString('utf8'),
            isEncrypted: session.secure,
            user: typeof session.user === 'string' ? session.user : null,
          });
          done();
        });
      },
    });
    this.#server.on('error', () => undefined);
  }

  static async open(certificates: TestCertificates, options: SMTPServerOptions = {}): Promise<MailReceiver> {
    const receiver = new MailReceiver(certificates, options);
    await new Promise<void>((resolve) => {
      receiver.#server.listen(0, '127.0.0.1', resolve);
    });
    return receiver;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}
