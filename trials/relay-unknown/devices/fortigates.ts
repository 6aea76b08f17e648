// Simulated FortiGates behind HTTPS as a trial's device, one per lane: they drop connections and apply late as configured.
import { FortiGate } from '../../../simulators/fortios/fortigate.ts';
import type { Applied } from '../../../simulators/support/applied-log.ts';
import type { Fault } from '../../../simulators/support/faults.ts';
import type { DeviceRequest, TlsServer } from '../../../simulators/support/tls-server.ts';
import type { JsonObject } from '../../../subgraphs/relay/drivers/driver.ts';
import {
  type DeviceCall,
  type DeviceRecord,
  type Disturbance,
  type JournaledCall,
  nameOf,
  RecordBook,
  type TrialDevice,
} from './device.ts';

const table = 'firewall/address';
const maxSessions = 10_000;
const tablePath = `/api/v2/cmdb/${table}`;

interface Arrival {
  readonly atMs: number;
  readonly wire: string;
}

interface Lane {
  readonly gate: FortiGate;
  readonly arrivals: Arrival[];
}

export class FortiGates implements TrialDevice {
  readonly name = 'FortiOS over HTTPS';
  readonly #lanes: readonly Lane[];

  private constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
  }

  static async start(lanes: number): Promise<FortiGates> {
    return new FortiGates(await Promise.all(Array.from({ length: lanes }, startLane)));
  }

  backend(lane: number): JsonObject {
    return { driver: 'fortios', ...proofOf(this.#lane(lane).gate) };
  }

  create(lane: number, number: number): DeviceCall {
    return this.#call('address.create', lane, number, { address: `10.0.0.${number % 250}` });
  }

  /** Sets certain values. */
  add(lane: number, number: number) {
    const call = this.#call('address.update', lane, number, { address: `10.1.0.${number % 250}`, comment: 'changed' });
    return { call, needs: this.create(lane, number) };
  }

  remove(lane: number, number: number) {
    return { needs: this.create(lane, number), call: () => this.#call('address.delete', lane, number, {}) };
  }

  #call(operation: string, lane: number, number: number, values: JsonObject): DeviceCall {
    const name = nameOf(lane, number);
    return { operation, arguments: { name, ...values }, wireMark: name, argumentMark: name };
  }

  /** Counts all writes, because a disturbed lane makes no other calls. */
  async disturb(lane: number, _calls: readonly DeviceCall[], disturbance: Disturbance): Promise<void> {
    const { knobs } = this.#lane(lane).gate.device.faults;
    if (disturbance.kind === 'slow') knobs.latencyMs = disturbance.delayMs;
    else knobs.probability = { [faultOf(disturbance)]: 1 };
    if (disturbance.kind === 'drop-late') knobs.applyLateMs = disturbance.lateMs;
  }

  async calm(lane: number): Promise<void> {
    const { knobs } = this.#lane(lane).gate.device.faults;
    knobs.latencyMs = 0;
    knobs.probability = {};
  }

  async records(calls: readonly JournaledCall[]): Promise<Map<string, DeviceRecord>> {
    const book = new RecordBook();
    const appliedById = new Map<string, number[]>();
    for (const { gate, arrivals } of this.#lanes) {
      for (const { atMs, wire } of arrivals) book.of(wire).receivedAtMs.push(atMs);
      for (const entry of gate.log.entries) {
        const id = /tg:([0-9a-f-]{36})/.exec(entry.text)?.[1];
        if (id === undefined) appliedRemoval(entry, book);
        else appliedById.set(id, [...(appliedById.get(id) ?? []), entry.at.getTime()]);
      }
    }
    const found = book.match(calls, ({ wireCall }) => plainWire(wireCall));
    for (const [id, times] of appliedById) {
      const record = found.get(id) ?? { receivedAtMs: [], appliedAtMs: [] };
      record.appliedAtMs.push(...times);
      found.set(id, record);
    }
    return found;
  }

  /** A table of a few thousand addresses does not slow it down. */
  async clean(): Promise<void> {}

  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map(({ gate }) => gate.stop()));
  }

  #lane(lane: number): Lane {
    const found = this.#lanes[lane];
    if (found === undefined) throw new Error(`there is no FortiGate ${lane}`);
    return found;
  }
}

async function startLane(): Promise<Lane> {
  // The session of a killed relay stays open.
  const gate = await FortiGate.start({ maxSessions });
  const arrivals: Arrival[] = [];
  gate.answerInstead = (request) => {
    const isWrite = request.method !== 'GET' && request.path.startsWith(tablePath);
    if (isWrite) arrivals.push({ atMs: Date.now(), wire: requestWire(request) });
    return undefined;
  };
  return { gate, arrivals };
}

/** Its address, the proof of its identity, and the credentials for it. */
export function proofOf({ https }: FortiGate): JsonObject {
  const credentials = { username: 'admin', password: 'secret' };
  return { host: https.host, port: https.port, certificateSha256: sha256Of(https), credentials };
}

/** Of its certificate. */
export function sha256Of({ certificate }: TlsServer): string {
  return pinOf(certificate.sha256);
}

/** From hex. */
export function pinOf(sha256: string): string {
  return `SHA256:${Buffer.from(sha256, 'hex').toString('base64').replace('=', '')}`;
}

export function faultOf({ kind }: Exclude<Disturbance, { kind: 'slow' }>): Fault {
  switch (kind) {
    case 'drop-before':
      return 'DROP_BEFORE_APPLYING';
    case 'drop-after':
      return 'DROP_AFTER_APPLYING';
    case 'drop-late':
      return 'APPLY_LATE';
  }
}

/** A removal has no mark: it is identified by its unique name. */
function appliedRemoval({ action, at }: Applied, book: RecordBook): void {
  const name = /: delete firewall\/address (\S+)$/.exec(action)?.[1];
  if (name !== undefined) book.of(`DELETE ${tablePath}/${name} `).appliedAtMs.push(at.getTime());
}

/** Method, path without query, and the body as plain JSON. */
export function requestWire({ method, path, body }: DeviceRequest): string {
  return `${method} ${path} ${plain(body)}`;
}

/** The same for a journaled call's text, without its guard. */
export function plainWire(wireCall: string): string {
  const [line = '', ...rest] = wireCall.split('\n\n');
  const body = rest.filter((part) => !part.startsWith('Only if '));
  return `${line.split('?')[0]} ${plain(body.join('\n\n'))}`;
}

function plain(body: string): string {
  return body === '' ? '' : JSON.stringify(JSON.parse(body));
}
