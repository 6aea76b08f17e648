// Port pair groups of the lab's real Neutron and networking-sfc. A proxy in front of it, one for each lane, knows the calls: it records
// each write and Neutron's answer, and cuts connections before, after or long before a write.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { demand, tokenFor } from '../../../lab/neutron/keystone-client.ts';
import type { RunningNeutron } from '../../../lab/neutron.ts';
import { type DeviceAnswer, type DeviceRequest, TlsServer } from '../../../simulators/support/tls-server.ts';
import type { JsonObject, JsonValue } from '../../../subgraphs/relay/drivers/driver.ts';
import {
  type DeviceCall,
  type DeviceRecord,
  type Disturbance,
  type JournaledCall,
  nameOf,
  RecordBook,
  type TrialDevice,
} from './device.ts';
import { pinOf, plainWire, requestWire, sha256Of } from './fortigates.ts';
import { idOf } from './neutron-subnets.ts';

const path = '/v2.0/sfc/port_pair_groups';
/** Neutron numbers groups itself, from 1 on. */
const firstOwnNumber = 1_000_000;

export class SfcGroups implements TrialDevice {
  readonly name = 'networking-sfc over HTTPS';
  readonly #neutron: RunningNeutron;
  readonly #database: DatabaseSync;
  readonly #projectId: string;
  readonly #lanes: readonly Line[];
  #made = 0;

  private constructor(neutron: RunningNeutron, database: DatabaseSync, projectId: string, lanes: readonly Line[]) {
    this.#neutron = neutron;
    this.#database = database;
    this.#projectId = projectId;
    this.#lanes = lanes;
  }

  static async on(neutron: RunningNeutron, lanes: number): Promise<SfcGroups> {
    const token = await tokenFor(neutron.keystone.plainUrl, neutron.accounts.alpha);
    const body = { port_pair_group: { name: 'first' } };
    const { body: made } = await demand(`${neutron.neutron.plainUrl}${path}`, 'POST', { token, body });
    const database = new DatabaseSync(neutron.databasePath, { timeout: 10_000 });
    const wasDone = ({ method, path: at, body: text }: DeviceRequest): boolean => {
      const gone = method === 'DELETE';
      const [column, value = ''] = gone ? ['id', at.split('/').at(-1)] : ['description', /tg:[^"]*/.exec(text)?.[0]];
      const found = database.prepare(`SELECT id FROM sfc_port_pair_groups WHERE ${column} = ?`).get(value);
      return (found === undefined) === gone;
    };
    const { plainUrl } = neutron.neutron;
    const lines = await Promise.all(Array.from({ length: lanes }, () => Line.lay(plainUrl, wasDone)));
    return new SfcGroups(neutron, database, String(made.port_pair_group?.project_id), lines);
  }

  backend(lane: number): JsonObject {
    const { keystone, accounts } = this.#neutron;
    const { username, password, project } = accounts.alpha;
    return {
      ...{ driver: 'neutron', ...this.#lane(lane).proof, credentials: { username, password } },
      options: {
        ...{ authUrl: `https://${keystone.host}:${keystone.port}/v3`, project },
        authCertificateSha256: pinOf(keystone.certificateSha256),
      },
    };
  }

  create(lane: number, number: number): DeviceCall {
    const name = nameOf(lane, number);
    return { operation: 'portPairGroup.create', arguments: { name }, wireMark: name, argumentMark: name };
  }

  /** On an existing group: a call that needs no result of another one. */
  add(lane: number, number: number) {
    const name = `${nameOf(lane, number)}-there`;
    const id = idOf(name);
    this.#made += 1;
    this.#database
      .prepare(
        `INSERT OR IGNORE INTO sfc_port_pair_groups (id, project_id, group_id, name, description, tap_enabled)
           VALUES (?, ?, ?, ?, '', 0)`,
      )
      .run(id, this.#projectId, firstOwnNumber + this.#made, name);
    const args = { id, name, description: `changed ${name}` };
    return { call: { operation: 'portPairGroup.update', arguments: args, wireMark: name, argumentMark: name } };
  }

  remove(lane: number, number: number) {
    const needs = this.create(lane, number);
    const { wireMark: name } = needs;
    const call = (made: JsonValue): DeviceCall => {
      const { id = '' } = made as { readonly id?: string };
      return { operation: 'portPairGroup.delete', arguments: { id, name }, wireMark: id, argumentMark: id };
    };
    return { needs, call };
  }

  async disturb(lane: number, _calls: readonly DeviceCall[], disturbance: Disturbance): Promise<void> {
    this.#lane(lane).disturbance = disturbance;
  }

  async calm(lane: number): Promise<void> {
    this.#lane(lane).disturbance = undefined;
  }

  async records(calls: readonly JournaledCall[]): Promise<Map<string, DeviceRecord>> {
    const book = new RecordBook();
    for (const { arrivals } of this.#lanes) {
      for (const { wire, receivedAtMs, appliedAtMs } of arrivals) {
        const record = book.of(wire);
        record.receivedAtMs.push(receivedAtMs);
        if (appliedAtMs !== undefined) record.appliedAtMs.push(appliedAtMs);
      }
    }
    return book.match(calls, ({ wireCall }) => plainWire(wireCall));
  }

  async clean(lane: number): Promise<void> {
    for (const table of ['sfc_port_pair_group_params', 'sfc_port_pair_groups']) {
      const column = table === 'sfc_port_pair_groups' ? 'id' : 'pair_group_id';
      this.#database
        .prepare(`DELETE FROM ${table} WHERE ${column} IN (SELECT id FROM sfc_port_pair_groups WHERE name LIKE ?)`)
        .run(`unknown-${lane}-%`);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((line) => line.stop()));
    this.#database.close();
  }

  #lane(lane: number): Line {
    const found = this.#lanes[lane];
    if (found === undefined) throw new Error(`there is no lane ${lane}`);
    return found;
  }
}

interface Arrival {
  readonly wire: string;
  readonly receivedAtMs: number;
  /** When Neutron answered with success. */
  appliedAtMs: number | undefined;
}

class Line {
  readonly arrivals: Arrival[] = [];
  disturbance: Disturbance | undefined;
  readonly #to: string;
  /** Neutron on SQLite answers 500 to some requests that it has executed. */
  readonly #wasDone: (request: DeviceRequest) => boolean;
  readonly #late = new Set<Promise<unknown>>();
  #server: TlsServer | undefined;

  private constructor(to: string, wasDone: (request: DeviceRequest) => boolean) {
    this.#to = to;
    this.#wasDone = wasDone;
  }

  static async lay(to: string, wasDone: (request: DeviceRequest) => boolean): Promise<Line> {
    const line = new Line(to, wasDone);
    line.#server = await TlsServer.start((request) => line.#answer(request));
    return line;
  }

  get proof(): JsonObject {
    const server = this.#started;
    return { host: server.host, port: server.port, certificateSha256: sha256Of(server) };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#late);
    await this.#started.stop();
  }

  get #started(): TlsServer {
    if (this.#server === undefined) throw new Error('not started');
    return this.#server;
  }

  async #answer(request: DeviceRequest): Promise<DeviceAnswer | undefined> {
    if (request.method === 'GET') return this.#forward(request);
    const arrival: Arrival = { wire: requestWire(request), receivedAtMs: Date.now(), appliedAtMs: undefined };
    this.arrivals.push(arrival);
    const write = async (): Promise<DeviceAnswer> => {
      const answer = await this.#forward(request);
      if (answer.status < 300 || (answer.status >= 500 && this.#wasDone(request))) arrival.appliedAtMs = Date.now();
      return answer;
    };
    const disturbed = this.disturbance;
    switch (disturbed?.kind) {
      case undefined:
        return write();
      case 'slow': {
        const answer = await write();
        await sleep(disturbed.delayMs);
        return answer;
      }
      case 'drop-before':
        return void request.cut();
      case 'drop-after':
        await write();
        return void request.cut();
      case 'drop-late': {
        request.cut();
        const late = sleep(disturbed.lateMs).then(write);
        this.#late.add(late);
        void late.finally(() => this.#late.delete(late));
        return undefined;
      }
    }
  }

  async #forward({ method, path: at, query, headers, body }: DeviceRequest): Promise<DeviceAnswer> {
    const filters = query.size === 0 ? '' : `?${query}`;
    const answer = await fetch(`${this.#to}${at}${filters}`, {
      method,
      headers: { 'content-type': 'application/json', 'x-auth-token': String(headers['x-auth-token'] ?? '') },
      ...(body === '' ? {} : { body }),
    });
    const type = answer.headers.get('content-type') ?? 'text/plain';
    return { status: answer.status, headers: { 'content-type': type }, body: await answer.text() };
  }
}
