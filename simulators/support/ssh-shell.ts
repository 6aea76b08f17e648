// The SSH side of a simulated device with a command line: login (RFC 4252), one interactive shell or one command per session
// channel (RFC 4254 section 6.5). The device's own output is not part of it.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerConfig, type Session } from 'ssh2';
import { Terminal, type TerminalOptions } from './terminal.ts';

/** One per connection: the same object from the first password to the end. */
export interface ShellSession {
  /** From the last login attempt. */
  readonly username: string;
  readonly remoteAddress: string;
  /** Cuts the TCP connection. */
  cut(): void;
}

export interface SshShellOptions {
  /** Called for every attempt with a password, including keyboard-interactive. Must not reject. */
  readonly authenticate: (
    username: string,
    password: string,
    remoteAddress: string,
    session: ShellSession,
  ) => Promise<boolean>;
  /** The connection has ended, logged in or not. */
  readonly onDisconnect?: (session: ShellSession) => void;
  /** How a password may be given. Default both. */
  readonly passwordMethods?: readonly ('password' | 'keyboard-interactive')[];
  /** The client determines the rows. */
  readonly terminal: Omit<TerminalOptions, 'rows'>;
  /** An interactive shell, until the device ends it. Must not reject. */
  readonly onShell: (terminal: Terminal, session: ShellSession) => Promise<void>;
  /** `ssh device command`. Without it such requests are refused. Must not reject. */
  readonly onCommand?: (command: string, session: ShellSession) => Promise<{ stdout: string; exitCode: number }>;
  readonly algorithms?: ServerConfig['algorithms'];
  /** Default: a free one. */
  readonly port?: number;
  /** Host key, PEM; default: a new ECDSA key. */
  readonly hostKey?: string;
}

const usualRows = 24;

export class SshShellServer {
  readonly host = '127.0.0.1';
  /** In the format of ssh-keygen -lf. */
  readonly hostKeySha256: string;
  /** Connections since the start. */
  connections = 0;
  readonly #server: ssh2.Server;
  readonly #open = new Set<Connection>();
  readonly #options: SshShellOptions;

  private constructor(options: SshShellOptions, hostKey: string) {
    this.#options = options;
    this.hostKeySha256 = fingerprintOf(hostKey);
    const algorithms = options.algorithms ? { algorithms: options.algorithms } : {};
    this.#server = new ssh2.Server({ hostKeys: [hostKey], ...algorithms }, (connection, info) =>
      this.#serve(connection, info.ip),
    );
  }

  /** Listens on the loopback. */
  static async start(options: SshShellOptions): Promise<SshShellServer> {
    const server = new SshShellServer(options, options.hostKey ?? newHostKey());
    server.#server.listen(options.port ?? 0, server.host);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** Cuts every connection, and continues to listen. */
  cutAll(): void {
    for (const connection of this.#open) socketOf(connection).destroy();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cutAll();
    await closed;
  }

  #serve(connection: Connection, remoteAddress: string): void {
    const cut = (): void => void socketOf(connection).destroy();
    const session = { username: '', remoteAddress, cut };
    this.connections += 1;
    this.#open.add(connection);
    socketOf(connection).setNoDelay(true);
    connection.on('error', () => {});
    connection.on('close', () => {
      this.#open.delete(connection);
      this.#options.onDisconnect?.(session);
    });
    connection.on('authentication', (context) => {
      session.username = context.username;
      void this.#authenticate(context, session);
    });
    connection.on('session', (accept) => this.#serveChannel(accept(), session));
  }

  async #authenticate(context: AuthContext, session: ShellSession): Promise<void> {
    const { passwordMethods = ['password', 'keyboard-interactive'], authenticate } = this.#options;
    const method = passwordMethods.find((each) => each === context.method);
    const decide = async (password: string): Promise<void> => {
      if (await authenticate(context.username, password, session.remoteAddress, session)) context.accept();
      else context.reject([...passwordMethods]);
    };
    if (method === 'password' && context.method === 'password') await decide(context.password);
    else if (method === 'keyboard-interactive' && context.method === 'keyboard-interactive') {
      context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => void decide(answers[0] ?? ''));
    } else context.reject([...passwordMethods]);
  }

  #serveChannel(channels: Session, session: ShellSession): void {
    const { onShell, onCommand } = this.#options;
    let rows = usualRows;
    channels.on('pty', (accept, _reject, info) => {
      if (info.rows > 0) rows = info.rows;
      accept?.();
    });
    channels.on('window-change', (accept, _reject, info) => {
      if (info.rows > 0) rows = info.rows;
      accept?.();
    });
    channels.on('shell', async (accept) => {
      const channel = accept();
      channel.on('error', () => {});
      await onShell(new Terminal(channel, { ...this.#options.terminal, rows }), session);
      if (!channel.destroyed) channel.exit(0);
      channel.end();
    });
    channels.on('exec', async (accept, reject, info) => {
      if (!onCommand) return reject();
      const channel = accept();
      channel.on('error', () => {});
      const { stdout, exitCode } = await onCommand(info.command, session);
      channel.write(stdout);
      if (!channel.destroyed) channel.exit(exitCode);
      channel.end();
    });
  }
}

function newHostKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

function fingerprintOf(hostKey: string): string {
  const key = ssh2.utils.parseKey(hostKey);
  if (key instanceof Error) throw key;
  const publicKey = (Array.isArray(key) ? key[0] : key).getPublicSSH();
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
}

/** ssh2's server can't cut a connection at once; its socket can. */
function socketOf(connection: Connection): Socket {
  return (connection as unknown as { readonly _sock: Socket })._sock;
}
