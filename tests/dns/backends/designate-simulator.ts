// Stands for OpenStack Designate with its Keystone where the real one can't be had. It follows the documented API (Designate, DNS API
// version 2: zones and record sets; Identity API version 3: tokens by password): changes are accepted with status PENDING, and its name
// servers have them a moment later, when the status is ACTIVE.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { makeCertificate } from '../../../platform/net/certificates.ts';

interface Recordset {
  readonly id: string;
  readonly zone: string;
  readonly name: string;
  readonly type: string;
  ttl: number | null;
  records: readonly string[];
  status: 'PENDING' | 'ACTIVE';
  action: 'CREATE' | 'UPDATE' | 'DELETE' | 'NONE';
}

interface Reply {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

const delayMs = 120;
const lifetimeMs = 3_600_000;

export class DesignateSimulator {
  readonly caCertificates: string;
  readonly account = { username: 'tidegate', password: 'a-password-of-the-test', project: 'dns' };
  readonly #key: { readonly cert: string; readonly key: string };
  readonly #tokens = new Set<string>();
  readonly #zones = new Map<string, string>();
  readonly #sets = new Map<string, Recordset>();
  /** What its name servers answer, by name and type. */
  readonly #answered = new Map<string, readonly string[]>();
  readonly #serials = new Map<string, number>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  logins = 0;

  private constructor(key: { readonly cert: string; readonly key: string }) {
    this.#key = key;
    this.caCertificates = key.cert;
  }

  static async start(): Promise<DesignateSimulator> {
    const made = new DesignateSimulator(await makeCertificate({ commonName: 'designate', names: ['127.0.0.1'] }));
    await made.start();
    return made;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const server = createServer(this.#key, (request, response) => {
      void this.#handle(request).then(({ status, body, headers }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(body === undefined ? '' : JSON.stringify(body));
      });
    });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((done) => server.listen(this.#port, '127.0.0.1', done));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server?.close(done));
  }

  /** Its tokens are no longer valid, as after a restart of Keystone with other keys. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  /** As its name servers answer, sorted. */
  dig(name: string, type: string): readonly string[] {
    if (type === 'SOA') return [String(this.#serials.get(name) ?? 0)];
    return [...(this.#answered.get(`${name}. ${type}`) ?? this.#wildcard(name, type))].sort();
  }

  /** Another administrator adds a value, at once. */
  add(zone: string, name: string, ttl: number, type: string, value: string): void {
    const known = [...this.#sets.values()].find((each) => each.name === `${name}.` && each.type === type);
    const records = [...(known?.records ?? []), value];
    const set = known ?? this.#make(zone, { name: `${name}.`, type });
    Object.assign(set, { ttl, records, status: 'ACTIVE', action: 'NONE' });
    this.#answered.set(`${name}. ${type}`, records);
  }

  removeAll(name: string, type: string): void {
    for (const [id, each] of this.#sets) if (each.name === `${name}.` && each.type === type) this.#sets.delete(id);
    this.#answered.delete(`${name}. ${type}`);
  }

  #wildcard(name: string, type: string): readonly string[] {
    const isThere = [...this.#answered.keys()].some((key) => key.split(' ')[0] === `${name}.`);
    return isThere ? [] : (this.#answered.get(`*.${name.slice(name.indexOf('.') + 1)}. ${type}`) ?? []);
  }

  async #handle(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? '/', this.url);
    const body = await bodyOf(request);
    if (url.pathname === '/v3/auth/tokens') return this.#token(request.method ?? '', body);
    if (!this.#tokens.has(String(request.headers['x-auth-token']))) return fault(401, 'Unauthorized');
    const [, , kind, zoneId, , setId] = url.pathname.split('/');
    if (kind !== 'zones') return fault(404, 'not found');
    if (zoneId === undefined) return this.#zonesCall(request.method ?? '', url, body);
    const zone = [...this.#zones].find(([, id]) => id === zoneId)?.[0];
    if (zone === undefined) return fault(404, 'Could not find Zone');
    if (setId === undefined && request.method === 'GET') {
      const found = [...this.#sets.values()].filter(
        (each) => each.zone === zone && each.name === url.searchParams.get('name'),
      );
      return { status: 200, body: { recordsets: found } };
    }
    return this.#change(request.method ?? '', zone, setId, body);
  }

  #token(method: string, body: Record<string, unknown>): Reply {
    if (method === 'DELETE') return { status: 204 };
    const { username, password, project } = this.account;
    const { identity, scope } = (body.auth ?? {}) as { identity?: object; scope?: { project?: { name?: string } } };
    const user = (identity as { password?: { user?: { name?: string; password?: string } } })?.password?.user;
    if (user?.name !== username || user.password !== password || scope?.project?.name !== project)
      return fault(401, 'The request you have made requires authentication.');
    const token = randomUUID();
    this.#tokens.add(token);
    this.logins += 1;
    const now = Date.now();
    const times = { issued_at: new Date(now).toISOString(), expires_at: new Date(now + lifetimeMs).toISOString() };
    return { status: 201, headers: { 'x-subject-token': token }, body: { token: times } };
  }

  #zonesCall(method: string, url: URL, body: Record<string, unknown>): Reply {
    if (method === 'GET') {
      const id = this.#zones.get(url.searchParams.get('name') ?? '');
      return { status: 200, body: { zones: id === undefined ? [] : [{ id, status: 'ACTIVE' }] } };
    }
    const name = String(body.name);
    if (!name.endsWith('.') || !String(body.email).includes('@'))
      return fault(400, 'Provided object does not match schema');
    if (this.#zones.has(name)) return fault(409, 'Duplicate Zone');
    this.#zones.set(name, randomUUID());
    return { status: 202, body: { id: this.#zones.get(name), name, status: 'PENDING' } };
  }

  #change(method: string, zone: string, setId: string | undefined, body: Record<string, unknown>): Reply {
    const known = setId === undefined ? undefined : this.#sets.get(setId);
    if (setId !== undefined && known === undefined) return fault(404, 'Could not find RecordSet');
    if (method === 'DELETE' && known !== undefined) {
      known.action = 'DELETE';
      this.#soon(known);
      return { status: 202, body: known };
    }
    const records = body.records as readonly string[];
    if (!Array.isArray(records) || records.length === 0 || (body.ttl !== undefined && Number(body.ttl) < 1))
      return fault(400, 'Provided object does not match schema');
    if (method === 'POST') {
      const [name, type] = [String(body.name), String(body.type)];
      const others = [...this.#sets.values()].filter((each) => each.zone === zone && each.name === name);
      if (others.some((each) => each.type === type)) return fault(409, 'Duplicate RecordSet');
      // As its central service checks; one that is being deleted still counts.
      if (others.length > 0 && (type === 'CNAME' || others.some((each) => each.type === 'CNAME')))
        return fault(400, 'CNAME recordsets may not share a name with any other records');
      const made = this.#make(zone, { name, type });
      Object.assign(made, { ttl: (body.ttl as number | undefined) ?? null, records });
      this.#soon(made);
      return { status: 201, body: made };
    }
    if (known === undefined) return fault(405, 'method not allowed');
    Object.assign(known, { ttl: (body.ttl as number | undefined) ?? known.ttl, records, action: 'UPDATE' });
    this.#soon(known);
    return { status: 202, body: known };
  }

  #make(zone: string, { name, type }: Pick<Recordset, 'name' | 'type'>): Recordset {
    const made: Recordset = {
      ...{ id: randomUUID(), zone: zone.endsWith('.') ? zone : `${zone}.`, name, type, ttl: null, records: [] },
      ...{ status: 'PENDING', action: 'CREATE' },
    };
    this.#sets.set(made.id, made);
    return made;
  }

  #soon(set: Recordset): void {
    set.status = 'PENDING';
    setTimeout(() => {
      const place = `${set.name} ${set.type}`;
      const zone = set.zone.slice(0, -1);
      this.#serials.set(zone, (this.#serials.get(zone) ?? 0) + 1);
      if (set.action === 'DELETE') {
        this.#sets.delete(set.id);
        const isLast = ![...this.#sets.values()].some((each) => each.name === set.name && each.type === set.type);
        if (isLast) this.#answered.delete(place);
        return;
      }
      Object.assign(set, { status: 'ACTIVE', action: 'NONE' });
      this.#answered.set(place, set.records);
    }, delayMs);
  }
}

function fault(code: number, message: string): Reply {
  return { status: code, body: { code, message } };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
