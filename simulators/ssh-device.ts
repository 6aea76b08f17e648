// An SSH device with configurable misbehaviour: it implements the protocol of RFC 4252 (login), 4253 (transport) and 4254 (channels, exec),
// and counts what reached it. For failures that a real OpenSSH can't be made to produce.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel, type ServerConfig, type Session } from 'ssh2';

/** One exec request, which the device may or may not answer. */
export interface Execution {
  readonly command: string;
  /** Everything up to the client's end of file. */
  stdin(): Promise<string>;
  /** RFC 4254 section 6.10: output, exit status, close. */
  reply(stdout: string, options?: { readonly stderr?: string; readonly exitCode?: number }): void;
  /** Output without an end of the command. */
  write(stdout: string): void;
  /** Closes the channel without an exit status. */
  closeSilently(): void;
  /** Cuts the TCP connection. */
  cut(): void;
}

export interface SshDeviceOptions {
  /** Password of every account. Default `secret`. */
  readonly password?: string;
  /** Public keys that may log in, OpenSSH form. */
  readonly publicKeys?: readonly string[];
  /** How a password may be given. Default `password`. */
  readonly passwordMethod?: 'password' | 'keyboard-interactive';
  /** The questions of keyboard-interactive. */
  readonly prompts?: readonly string[];
  /** Session channels open at once per connection; more are refused (RFC 4254 section 5.1). */
  readonly maxChannels?: number;
  /** The handler of a command. Default: no output and exit status 0. */
  readonly onExec?: (execution: Execution) => void;
  /** Commands for which the exec request itself is refused (RFC 4254 section 6.5). */
  readonly refusesCommand?: (command: string) => boolean;
  /** The handler of an SSH subsystem (RFC 4254 section 6.5). Default: it is refused. */
  readonly onSubsystem?: (name: string, channel: ServerChannel) => void;
  /** Called for each connection that has logged in. */
  readonly onConnection?: (connection: Connection) => void;
  readonly algorithms?: ServerConfig['algorithms'];
  /** Host key, PEM; default: a new ECDSA key. */
  readonly hostKey?: string;
}

export class SshDevice {
  readonly host = '127.0.0.1';
  readonly hostKeySha256: string;
  /** The commands that reached it, in order. */
  readonly commands: string[] = [];
  /** Authentication requests, in order; `none` is a query, not an attempt (RFC 4252 section 5.2). */
  readonly attempts: string[] = [];
  /** The passwords that it received, in order. */
  readonly passwords: string[] = [];
  connections = 0;
  /** Commands running now, and the most at once. */
  running = 0;
  mostRunning = 0;
  readonly #server: ssh2.Server;
  readonly #open = new Set<Connection>();
  readonly #options: SshDeviceOptions;

  private constructor(options: SshDeviceOptions, hostKey: string) {
    this.#options = options;
    const key = ssh2.utils.parseKey(hostKey);
    if (key instanceof Error) throw key;
    const publicKey = (Array.isArray(key) ? key[0] : key).getPublicSSH();
    this.hostKeySha256 = `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
    const algorithms = options.algorithms ? { algorithms: options.algorithms } : {};
    this.#server = new ssh2.Server({ hostKeys: [hostKey], ...algorithms }, (connection) => this.#serve(connection));
  }

  /** Listens on a free port of the loopback. */
  static async start(options: SshDeviceOptions = {}): Promise<SshDevice> {
    const hostKey = options.hostKey ?? newHostKey();
    const device = new SshDevice(options, hostKey);
    device.#server.listen(0, device.host);
    await once(device.#server, 'listening');
    return device;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** Cuts every connection, and continues to listen. */
  cutAll(): void {
    for (const connection of this.#open) cut(connection);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cutAll();
    await closed;
  }

  #serve(connection: Connection): void {
    this.connections += 1;
    this.#open.add(connection);
    let channels = 0;
    // Like OpenSSH: a reply is several packets, and Nagle's algorithm would delay them by 40 ms.
    socketOf(connection).setNoDelay(true);
    connection.on('error', () => {});
    connection.on('ready', () => this.#options.onConnection?.(connection));
    connection.on('close', () => this.#open.delete(connection));
    connection.on('authentication', (context) => this.#authenticate(context));
    connection.on('session', (accept, reject) => {
      if (channels >= (this.#options.maxChannels ?? Number.POSITIVE_INFINITY)) return reject();
      channels += 1;
      const session = accept();
      session.on('close', () => {
        channels -= 1;
      });
      this.#serveSession(session, connection);
    });
  }

  #authenticate(context: AuthContext): void {
    // A public key without a signature only asks whether the key is acceptable (RFC 4252 section 7).
    if (context.method !== 'publickey' || context.signature) this.attempts.push(context.method);
    if (context.method === 'password') this.passwords.push(context.password);
    const { password = 'secret', passwordMethod = 'password', prompts = ['Password: '] } = this.#options;
    const methods = this.#options.publicKeys ? (['publickey', passwordMethod] as const) : [passwordMethod];
    const refuse = () => context.reject([...methods]);
    if (context.method === 'publickey' && this.#knows(context)) context.accept();
    else if (context.method === 'password' && passwordMethod === 'password' && context.password === password) {
      context.accept();
    } else if (context.method === 'keyboard-interactive' && passwordMethod === 'keyboard-interactive') {
      context.prompt(
        prompts.map((prompt) => ({ prompt, echo: false })),
        (answers) => (answers[0] === password && answers.length === 1 ? context.accept() : refuse()),
      );
    } else refuse();
  }

  #knows(context: AuthContext & { method: 'publickey' }): boolean {
    return (this.#options.publicKeys ?? []).some((text) => {
      const key = ssh2.utils.parseKey(text);
      if (key instanceof Error || Array.isArray(key) || !key.getPublicSSH().equals(context.key.data)) return false;
      if (!context.signature || !context.blob) return true;
      return key.verify(context.blob, context.signature, context.hashAlgo) === true;
    });
  }

  #serveSession(session: Session, connection: Connection): void {
    session.on('subsystem', (accept, reject, { name }) => {
      const { onSubsystem } = this.#options;
      if (onSubsystem === undefined) return reject();
      const channel = accept();
      channel.on('error', () => {});
      onSubsystem(name, channel);
    });
    session.on('exec', (accept, reject, info) => {
      if (this.#options.refusesCommand?.(info.command)) return reject();
      this.commands.push(info.command);
      this.running += 1;
      this.mostRunning = Math.max(this.mostRunning, this.running);
      const channel = accept();
      channel.on('error', () => {});
      channel.on('close', () => {
        this.running -= 1;
      });
      const onExec = this.#options.onExec ?? ((execution) => execution.reply(''));
      onExec(executionOn(channel, info.command, connection));
    });
  }
}

/** ssh2's own generator occasionally makes an Ed25519 key that its parser rejects as malformed. */
function newHostKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

function executionOn(channel: ServerChannel, command: string, connection: Connection): Execution {
  const chunks: Buffer[] = [];
  const stdin = new Promise<string>((resolve) => {
    channel.on('data', (chunk: Buffer) => chunks.push(chunk));
    channel.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
  return {
    command,
    stdin: () => stdin,
    reply(stdout, { stderr = '', exitCode = 0 } = {}) {
      channel.write(stdout);
      channel.stderr.write(stderr);
      channel.exit(exitCode);
      channel.end();
    },
    write: (stdout) => {
      channel.write(stdout);
    },
    closeSilently: () => channel.close(),
    cut: () => cut(connection),
  };
}

/** ssh2's server can't cut a connection at once; its socket can. */
function cut(connection: Connection): void {
  socketOf(connection).destroy();
}

function socketOf(connection: Connection): Socket {
  return (connection as unknown as { readonly _sock: Socket })._sock;
}
