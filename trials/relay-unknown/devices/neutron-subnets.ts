// Subnets of a simulated Neutron with its Keystone, two for each lane: the order of a subnet's name servers matters. Implements only what
// the trial's calls need; the lab has the real services. Networking API v2.0, section Subnets; Identity API v3, section Password
// authentication.
import { createHash } from 'node:crypto';
import { Faults } from '../../../simulators/support/faults.ts';
import { type DeviceAnswer, type DeviceRequest, TlsServer } from '../../../simulators/support/tls-server.ts';
import type { JsonObject } from '../../../subgraphs/relay/drivers/driver.ts';
import type { Disturbance } from './device.ts';
import { faultOf, plainWire, requestWire, sha256Of } from './fortigates.ts';
import { LateWrites } from './late-writes.ts';
import type { Execution, ObjectCall, ObjectDevice, ObjectState, Place, TrialObject, Values } from './objects.ts';

const serversOf: Readonly<Record<Values, readonly string[]>> = {
  first: ['192.0.2.1', '192.0.2.2'],
  other: ['192.0.2.1', '192.0.2.3'],
  reordered: ['192.0.2.2', '192.0.2.1'],
};
const network = '0e1f0a52-6f0e-4f43-9a52-3f1f2a6a7c11';

export class NeutronSubnets implements ObjectDevice {
  readonly name = 'Neutron over HTTPS';
  readonly driver = 'neutron';
  readonly values = ['first', 'other', 'reordered'] as const;
  readonly shares = { same: 1, other: 2, removed: 0, reordered: 3 };
  readonly moves = true;
  readonly #lanes: readonly Readonly<Record<Place, SimulatedNeutron>>[];

  private constructor(lanes: readonly Readonly<Record<Place, SimulatedNeutron>>[]) {
    this.#lanes = lanes;
  }

  static async start(lanes: number): Promise<NeutronSubnets> {
    const started = Array.from({ length: lanes }, async () => {
      const [home, away] = await Promise.all([SimulatedNeutron.start('home'), SimulatedNeutron.start('away')]);
      return { home, away };
    });
    return new NeutronSubnets(await Promise.all(started));
  }

  backend(lane: number, place: Place): JsonObject {
    return this.#lane(lane)[place].backend;
  }

  /** With a description that contains the call's mark, or without one. */
  object(lane: number, number: number): TrialObject {
    const name = `again-${lane}-${String(number).padStart(6, '0')}`;
    const description: JsonObject = number % 2 === 0 ? { description: 'trial' } : {};
    const id = idOf(name);
    const call = (operation: string, more: JsonObject): ObjectCall => ({
      operation,
      arguments: { network, name, ...more },
    });
    return {
      ...{ resource: 'subnet', scope: network, key: name },
      create: (values) => call('subnet.create', { cidr: '10.0.0.0/24', dnsServers: serversOf[values], ...description }),
      set: (values) => call('subnet.update', { id, dnsServers: serversOf[values], ...description }),
      remove: () => call('subnet.delete', { id }),
    };
  }

  async disturb(lane: number, disturbance: Disturbance): Promise<void> {
    for (const { faults, late } of Object.values(this.#lane(lane))) {
      if (disturbance.kind === 'slow') faults.knobs.latencyMs = disturbance.delayMs;
      else if (disturbance.kind === 'drop-late') late.lateMs = disturbance.lateMs;
      else faults.knobs.probability = { [faultOf(disturbance)]: 1 };
    }
  }

  async calm(lane: number): Promise<void> {
    for (const { faults, late } of Object.values(this.#lane(lane))) {
      late.lateMs = undefined;
      faults.knobs.latencyMs = 0;
      faults.knobs.probability = {};
    }
  }

  release(lane: number): void {
    for (const { late } of Object.values(this.#lane(lane))) late.release();
  }

  async byHand(lane: number, { key }: TrialObject, state: Values | null): Promise<void> {
    const { subnets } = this.#lane(lane).home;
    if (state === null) subnets.delete(idOf(key));
    else subnets.set(idOf(key), { ...made(key), ...subnets.get(idOf(key)), dns_nameservers: serversOf[state] });
  }

  async states(lane: number): Promise<ReadonlyMap<string, ObjectState>> {
    const all = Object.values(this.#lane(lane)).flatMap(({ subnets }) => [...subnets.values()]);
    return new Map(all.map(({ name, dns_nameservers: servers }) => [String(name), stateOf(servers)]));
  }

  async clear(lane: number): Promise<void> {
    for (const { subnets } of Object.values(this.#lane(lane))) subnets.clear();
  }

  async executions(): Promise<readonly Execution[]> {
    return this.#lanes.flatMap(({ home, away }) => [...home.arrivals, ...away.arrivals]);
  }

  wireOf(wireCall: string): string {
    return plainWire(wireCall);
  }

  stateOf(values: Values | null): ObjectState {
    return values === null ? null : stateOf(serversOf[values]);
  }

  leaves(operation: string, { dnsServers }: JsonObject): ObjectState {
    return operation === 'subnet.delete' ? null : stateOf(dnsServers);
  }

  wanted({ dnsServers }: JsonObject): ObjectState {
    return stateOf(dnsServers);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#lanes.flatMap(({ home, away }) => [home.stop(), away.stop()]));
  }

  #lane(lane: number): Readonly<Record<Place, SimulatedNeutron>> {
    const found = this.#lanes[lane];
    if (found === undefined) throw new Error(`there is no lane ${lane}`);
    return found;
  }
}

type Arrival = { -readonly [Field in keyof Execution]: Execution[Field] };
type Subnet = Readonly<Record<string, unknown>>;

class SimulatedNeutron {
  readonly subnets = new Map<string, Subnet>();
  readonly faults = new Faults();
  readonly late = new LateWrites();
  readonly arrivals: Arrival[] = [];
  readonly #place: Place;
  #server: TlsServer | undefined;

  private constructor(place: Place) {
    this.#place = place;
  }

  static async start(place: Place): Promise<SimulatedNeutron> {
    const neutron = new SimulatedNeutron(place);
    neutron.#server = await TlsServer.start((request) => neutron.#answer(request));
    return neutron;
  }

  get backend(): JsonObject {
    const server = this.#started;
    const options = { authUrl: `https://${server.host}:${server.port}/v3`, project: 'trial' };
    const credentials = { username: 'trial', password: 'secret' };
    return { host: server.host, port: server.port, certificateSha256: sha256Of(server), options, credentials };
  }

  async stop(): Promise<void> {
    this.faults.stop();
    await this.#started.stop();
  }

  get #started(): TlsServer {
    if (this.#server === undefined) throw new Error('not started');
    return this.#server;
  }

  async #answer(request: DeviceRequest): Promise<DeviceAnswer | undefined> {
    if (request.path === '/v3/auth/tokens') return token(request);
    if (request.method === 'GET') {
      await this.faults.delay();
      return this.#read(request);
    }
    const arrival = { place: this.#place, wire: requestWire(request), receivedAtMs: Date.now() };
    const seen: Arrival = { ...arrival, appliedAtMs: undefined };
    this.arrivals.push(seen);
    const write = {
      apply: () => {
        const answer = this.#write(request);
        if (answer.status < 300) seen.appliedAtMs = Date.now();
        return answer;
      },
      fail: () => ({ status: 500 }),
      drop: () => request.cut(),
    };
    return this.late.take(write) ? undefined : this.faults.around<DeviceAnswer>(write);
  }

  #read({ path, query }: DeviceRequest): DeviceAnswer {
    const id = path.split('/')[3];
    if (id === undefined) {
      const named = [...this.subnets.values()].filter(({ name }) => name === query.get('name'));
      return json(200, { subnets: named });
    }
    const found = this.subnets.get(id);
    return found === undefined ? missing(id) : json(200, { subnet: found });
  }

  #write({ method, path, body }: DeviceRequest): DeviceAnswer {
    if (method === 'POST') {
      const { subnet } = JSON.parse(body) as { readonly subnet: Subnet };
      const id = idOf(String(subnet.name));
      if (this.subnets.has(id))
        return json(409, { NeutronError: { type: 'SubnetInUse', message: 'the trial has it' } });
      this.subnets.set(id, { ...made(String(subnet.name)), ...subnet });
      return json(201, { subnet: this.subnets.get(id) });
    }
    const id = path.split('/')[3] ?? '';
    const found = this.subnets.get(id);
    if (found === undefined) return missing(id);
    if (method === 'DELETE') {
      this.subnets.delete(id);
      return { status: 204 };
    }
    const { subnet } = JSON.parse(body) as { readonly subnet: Subnet };
    this.subnets.set(id, { ...found, ...subnet });
    return json(200, { subnet: this.subnets.get(id) });
  }
}

function made(name: string): Subnet {
  const common = { id: idOf(name), name, network_id: network, description: '', cidr: '10.0.0.0/24' };
  return { ...common, gateway_ip: '10.0.0.1', enable_dhcp: true, dns_nameservers: [], allocation_pools: [] };
}

function token({ method }: DeviceRequest): DeviceAnswer {
  if (method !== 'POST') return { status: 204 };
  const times = { issued_at: new Date(), expires_at: new Date(Date.now() + 24 * 3_600_000) };
  return { status: 201, headers: { 'x-subject-token': 'trial' }, body: JSON.stringify({ token: times }) };
}

const json = (status: number, body: object): DeviceAnswer => ({ status, body: JSON.stringify(body) });
const missing = (id: string): DeviceAnswer =>
  json(404, { NeutronError: { type: 'SubnetNotFound', message: `Subnet ${id} could not be found` } });

/** The same for an object that is created again, so that a call can name it before it exists. */
export function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function stateOf(servers: unknown): ObjectState {
  return Array.isArray(servers) ? servers.map(String).join() : null;
}
