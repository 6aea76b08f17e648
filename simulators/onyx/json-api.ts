// The JSON API over HTTPS. Login, session cookie, and formats of requests and replies: NVIDIA's manual, chapter JSON API (that of
// MLNX-GW 8.2 is public and the same), with job_id and json-logout as used by public clients. The command line executes the
// commands, in a session that is already in configuration mode.

import { randomBytes } from 'node:crypto';
import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import { CliSession } from './cli.ts';
import type { OnyxDevice } from './device.ts';

interface CommandRequest {
  readonly cmd?: string;
  readonly commands?: readonly string[];
  readonly execution_type?: string;
}

export class JsonApi {
  readonly #device: OnyxDevice;
  /** Expiry time by session. */
  readonly #sessions = new Map<string, number>();
  readonly #jobs = new Map<string, unknown>();
  logins = 0;

  constructor(device: OnyxDevice) {
    this.#device = device;
  }

  get sessions(): number {
    this.#forgetOld();
    return this.#sessions.size;
  }

  forgetSessions(): void {
    this.#sessions.clear();
  }

  async serve(request: DeviceRequest): Promise<DeviceAnswer | undefined> {
    const { path, query, method } = request;
    if (path !== '/admin/launch' || !this.#device.knobs.jsonApi) return { status: 404, body: 'Not Found' };
    if (query.get('script') === 'rh') {
      await this.#device.faults.delay();
      return query.get('action') === 'json-logout' ? this.#logout(request) : this.#login(request);
    }
    if (query.get('script') !== 'json') return { status: 404, body: 'Not Found' };
    if (!this.#isLoggedIn(request)) return status('ERROR', 'Authentication failure');
    const job = query.get('job_id');
    if (method === 'GET' && job !== null) {
      return this.#jobs.has(job) ? json(this.#jobs.get(job)) : status('ERROR', 'Unknown job_id');
    }
    return method === 'POST' ? this.#run(request) : { status: 405, body: '' };
  }

  #login(request: DeviceRequest): DeviceAnswer {
    const { username, password } = parse<{ username?: string; password?: string }>(request.body) ?? {};
    if (typeof username !== 'string' || typeof password !== 'string') {
      return status('ERROR', 'Please provide username and password');
    }
    if (!this.#device.isAccount(username, password)) return status('ERROR', 'Invalid username or password');
    this.#forgetOld();
    if (this.#sessions.size >= this.#device.knobs.maxWebSessions) {
      return status('ERROR', 'Maximum number of web sessions reached');
    }
    this.logins += 1;
    const session = randomBytes(24).toString('base64url');
    this.#sessions.set(session, performance.now() + this.#device.knobs.webSessionLifetimeMs);
    const cookie = { 'set-cookie': `session=${session}; path=/; HttpOnly; Secure` };
    if (this.#device.knobs.loginRedirects) {
      const headers = { 'content-type': 'text/html', location: '/admin/launch?script=rh&template=home', ...cookie };
      return { status: 302, headers, body: '<html><title>302 Found</title></html>' };
    }
    return { ...status('OK', 'Successfully logged-in'), headers: { ...jsonHeaders, ...cookie } };
  }

  #logout(request: DeviceRequest): DeviceAnswer {
    this.#sessions.delete(request.cookies.get('session') ?? '');
    return status('OK', 'Successfully logged-out');
  }

  async #run(request: DeviceRequest): Promise<DeviceAnswer | undefined> {
    const { cmd, commands, execution_type: type = 'sync' } = parse<CommandRequest>(request.body) ?? {};
    const lines = typeof cmd === 'string' ? [cmd] : Array.isArray(commands) ? commands.map(String) : undefined;
    if (lines === undefined) return status('ERROR', 'Invalid JSON request');
    const session = new CliSession(this.#device, 'JSON', 'config');
    const run = (): unknown => {
      const results = this.#execute(session, lines);
      return typeof cmd === 'string' ? results[0] : { results };
    };
    const start = (): DeviceAnswer => {
      if (type !== 'async') return json(run());
      const job = randomBytes(4).readUInt32BE().toString();
      this.#jobs.set(job, run());
      return json({ job_id: job, executed_command: '', status: 'OK', status_message: '', data: '' });
    };
    if (!lines.some((line) => session.isWrite(line))) {
      await this.#device.faults.delay();
      return start();
    }
    return this.#device.faults.around({
      apply: start,
      fail: () =>
        json({ status: 'ERROR', executed_command: lines[0] ?? '', status_message: '% Internal error', data: '' }),
      drop: () => request.cut(),
    });
  }

  #execute(session: CliSession, lines: readonly string[]): unknown[] {
    const results: unknown[] = [];
    for (const line of lines) {
      const { ok, message, data } = session.executeForJson(line);
      results.push({ status: ok ? 'OK' : 'ERROR', executed_command: line, status_message: message, data });
      if (!ok && this.#device.knobs.stopsAtError) break;
    }
    return results;
  }

  #isLoggedIn(request: DeviceRequest): boolean {
    this.#forgetOld();
    return this.#sessions.has(request.cookies.get('session') ?? '');
  }

  #forgetOld(): void {
    for (const [session, until] of this.#sessions) if (until <= performance.now()) this.#sessions.delete(session);
  }
}

const jsonHeaders = { 'content-type': 'application/json' } as const;

function json(value: unknown): DeviceAnswer {
  return { status: 200, headers: jsonHeaders, body: JSON.stringify(value) };
}

function status(word: 'OK' | 'ERROR', message: string): DeviceAnswer {
  return json({ status: word, status_message: message });
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
