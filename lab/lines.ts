// Lines from the machine's address in the lab, for members of the lab only: to the control plane on the loopback, over TCP, to the DNS
// server, also over UDP, or to a device. They pass on bytes without reading them.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { isInBlock } from '../platform/net/address-block.ts';
import type { Address } from '../platform/net/origin.ts';

const loopback = '127.0.0.1';
const mostConnections = 256;
const udpSilentMs = 5_000;

export interface LineOptions {
  /** Address to listen on. Port 0 for any free port. */
  readonly at: Address;
  readonly port: number;
  /** Host of the port. Default: the loopback. TCP only. */
  readonly host?: string;
  /** A CIDR block of the addresses that may use it. */
  readonly block: string;
}

export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #udp: UdpLine | undefined;

  private constructor({ port, host = loopback, block }: LineOptions) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
      near.on('error', () => undefined);
      // Another machine may reach the address through a route of its own.
      if (!isInBlock(near.remoteAddress ?? '', block)) return void near.destroy();
      const far = connect({ host, port, noDelay: true, allowHalfOpen: true });
      far.on('error', () => undefined);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    this.#server.maxConnections = mostConnections;
  }

  /** Throws EADDRINUSE. `udp`: UDP in addition to TCP. */
  static async lay(options: LineOptions & { readonly udp?: boolean }): Promise<Line> {
    const line = new Line(options);
    const { host, port } = options.at;
    line.#server.listen(port, host);
    await once(line.#server, 'listening');
    try {
      if (options.udp === true) line.#udp = await UdpLine.lay({ ...options, at: { host, port: line.port } });
    } catch (error) {
      line.#server.close();
      throw error;
    }
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#udp?.stop();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

class UdpLine {
  readonly #near: UdpSocket;
  /** Keyed by address and port of the other end. */
  readonly #far = new Map<string, { readonly socket: UdpSocket; readonly timer: NodeJS.Timeout }>();
  readonly #options: LineOptions;

  private constructor(options: LineOptions) {
    this.#options = options;
    this.#near = createSocket('udp4');
    this.#near.on('message', (message, { address, port }) => this.#pass(message, address, port));
  }

  static async lay(options: LineOptions): Promise<UdpLine> {
    const line = new UdpLine(options);
    line.#near.bind(options.at.port, options.at.host);
    await once(line.#near, 'listening');
    line.#near.on('error', () => undefined);
    return line;
  }

  stop(): void {
    this.#near.close();
    for (const { socket, timer } of this.#far.values()) {
      clearTimeout(timer);
      socket.close();
    }
    this.#far.clear();
  }

  #pass(message: Buffer, address: string, port: number): void {
    if (!isInBlock(address, this.#options.block)) return;
    const key = `${address} ${port}`;
    const known = this.#far.get(key);
    known?.timer.refresh();
    if (known !== undefined) return void known.socket.send(message, this.#options.port, loopback);
    if (this.#far.size >= mostConnections) return;
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    socket.on('message', (answer) => this.#near.send(answer, port, address));
    const timer = setTimeout(() => {
      this.#far.delete(key);
      socket.close();
    }, udpSilentMs);
    timer.unref();
    this.#far.set(key, { socket, timer });
    socket.send(message, this.#options.port, loopback);
  }
}
