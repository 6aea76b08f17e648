// A device with a web interface for tests of the HTTPS transport: login by JSON for a token, calls that echo, and counters.
import {
  type DeviceAnswer,
  type DeviceRequest,
  TlsServer,
  type TlsServerOptions,
} from '../../../../../simulators/support/tls-server.ts';
import type { HttpSessions } from '../../../../../subgraphs/relay/drivers/driver.ts';
import type { Endpoint, TransportOptions } from '../../../../../subgraphs/relay/transports/session.ts';

export interface WebDeviceOptions extends TlsServerOptions {
  /** The handler of a call. Default: answers with the path. */
  readonly onCall?: (request: DeviceRequest) => Promise<DeviceAnswer | undefined> | DeviceAnswer | undefined;
  /** Whether calls need a token. */
  readonly wantsLogin?: boolean;
  /** Runs before a login is answered. */
  readonly onLogin?: () => Promise<void>;
}

export class WebDevice {
  readonly server: TlsServer;
  /** Executed calls, in order of arrival. */
  readonly calls: DeviceRequest[] = [];
  /** Passwords tried so far. */
  readonly logins: string[] = [];
  readonly tokens: Set<string>;

  private constructor(server: TlsServer, tokens: Set<string>) {
    this.server = server;
    this.tokens = tokens;
  }

  static async start(options: WebDeviceOptions = {}): Promise<WebDevice> {
    const tokens = new Set<string>();
    const server = await TlsServer.start(async (request) => device.#answer(request, options), options);
    const device = new WebDevice(server, tokens);
    return device;
  }

  get paths(): string[] {
    return this.calls.map((call) => call.path);
  }

  get certificateSha256(): string {
    return pinOf(this.server.certificate.sha256);
  }

  endpoint(changes: Partial<Endpoint> = {}): Endpoint {
    return {
      host: this.server.host,
      port: this.server.port,
      hostKeySha256: null,
      certificateSha256: this.certificateSha256,
      cryptoProfile: 'MODERN',
      credentials: { username: 'ops', password: 'secret' },
      ...changes,
    };
  }

  async #answer(request: DeviceRequest, options: WebDeviceOptions): Promise<DeviceAnswer | undefined> {
    const token = String(request.headers['x-token'] ?? '');
    if (request.path === '/login' && request.method === 'POST') {
      const { password } = JSON.parse(request.body) as { password: string };
      this.logins.push(password);
      await options.onLogin?.();
      if (password !== 'secret') return { status: 401, body: '{}' };
      const given = `token-${this.logins.length}`;
      this.tokens.add(given);
      return { status: 200, body: JSON.stringify({ token: given }) };
    }
    if (request.path === '/login' && request.method === 'DELETE') {
      return { status: this.tokens.delete(token) ? 204 : 404 };
    }
    if (options.wantsLogin === true && !this.tokens.has(token)) return { status: 401, body: '{"error":"session"}' };
    this.calls.push(request);
    return options.onCall ? options.onCall(request) : { status: 200, body: request.path };
  }
}

/** Converts a hex fingerprint to the format of a pin. */
export function pinOf(sha256Hex: string): string {
  return `SHA256:${Buffer.from(sha256Hex, 'hex').toString('base64').replace(/=+$/, '')}`;
}

/** The login of a WebDevice. `lifetimeMs`: the lifetime that the device reports. */
function webSessions(more: { lifetimeMs?: number; origin?: string } = {}): HttpSessions {
  const { lifetimeMs, origin } = more;
  const elsewhere = origin === undefined ? {} : { origin };
  return {
    async open(exchange, { username, password = '' }) {
      const body = { username, password };
      const reply = await exchange({ kind: 'http', method: 'POST', path: '/login', body, ...elsewhere });
      if (reply.status === 401) return { ok: false, code: 'AUTH_FAILED', message: 'the device refused the password' };
      const { token } = JSON.parse(reply.body) as { token: string };
      return {
        ok: true,
        headers: { 'X-Token': token },
        writeHeaders: { 'X-CSRF': 'csrf' },
        close: { kind: 'http', method: 'DELETE', path: '/login', ...elsewhere },
        ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
      };
    },
    refusedSession: (reply) => reply.status === 401 && reply.body.includes('session'),
  };
}

export function withSessions(more: Parameters<typeof webSessions>[0] = {}): Partial<TransportOptions> {
  return { https: webSessions(more) };
}
