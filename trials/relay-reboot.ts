// `npm run trials -- relay-reboot`: the trial that a call never hits somebody else's object. A real Linux firewall reboots during calls,
// which renumbers its rules, and a FortiGate reuses the numbers of deleted policies. Real FRR, a real ModSecurity and a switch lose unsaved
// changes, and an administrator reuses the same numbers (relay-reboot/places.ts). Two tenants call the relay; an administrator works on the
// devices directly. The devices' own configurations are the evidence.
// needs: system, iproute2, nftables, root
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mariadb';
import { ownersOf } from '../compose/owners.ts';
import { openDataFolder } from '../embedded/data-folder.ts';
import { startMariadb } from '../embedded/mariadb.ts';
import { silentLog } from '../embedded/setup-log.ts';
import { startApacheWaf } from '../lab/apache-waf.ts';
import { inNamespace } from '../lab/exec.ts';
import { type RunningLab, startLab } from '../lab/lab.ts';
import { startRouters } from '../lab/routers/routers.ts';
import { migrate } from '../platform/database/migrate.ts';
import { connectionOptions } from '../platform/database/server-pools.ts';
import { createLocalWake } from '../platform/work/wake.ts';
import { FortiGate } from '../simulators/fortios/fortigate.ts';
import { tableOf } from '../simulators/fortios/tables.ts';
import type { JsonObject } from '../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../subgraphs/relay/drivers/fortios/driver.ts';
import { readMark } from '../subgraphs/relay/drivers/mark.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import { DriverCaller } from '../tests/subgraphs/relay/support/driver-caller.ts';
import { webEndpoint } from '../tests/subgraphs/relay/support/endpoints.ts';
import {
  type CallShape,
  call,
  identity,
  RelayNode,
  registerBackend,
} from '../tests/subgraphs/relay/support/relay-system.ts';
import { pinOf } from '../tests/subgraphs/relay/transports/support/web-device.ts';
import type { TestDatabase } from '../tests/support/stores/database.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { type Random, seededRandom } from './random.ts';
import { type PlaceMapping, PlaceRounds, type PlaceTrial } from './relay-reboot/place-rounds.ts';
import { type PlaceDevice, routerPlaces, switchPlaces, wafPlaces } from './relay-reboot/places.ts';
import { folderOption } from './trial-options.ts';

interface RelayRebootOptions extends TrialRun {
  readonly reboots: number;
  readonly lab: RunningLab;
  /** The folder in which other devices are started. */
  readonly folder: string;
  readonly database: Pick<TestDatabase, 'connection'>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

interface RelayRebootResult {
  readonly seed: number;
  readonly reboots: number;
  /** Objects of the administrator or of another tenant that are gone although nobody with the right to delete them did so. */
  readonly foreignDeleted: number;
  /** Mappings that, after verification, refer to no object or to the wrong one. */
  readonly wrongMappings: number;
  /** Ended calls by operation and state, with the code of any failure. */
  readonly calls: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly findings: readonly string[];
}

export const trialRelayReboot = defineTrial({
  counts: { reboots: { help: 'reboots of the firewall', usual: 100, full: 300 } },
  options: { folder: folderOption('the data of the lab and of MariaDB') },
  async run({ folder, ...given }) {
    const { signal } = given;
    await using stack = new AsyncDisposableStack();
    const data = await openDataFolder(join(folder, 'data'), { version: 1 });
    stack.defer(() => data.close());
    const mariadb = await startMariadb({ folder: data, log: silentLog, signal });
    stack.defer(() => mariadb.stop());
    const connection = { ...mariadb.application, database: 'tidegate_reboot' };
    const admin = await createConnection(connectionOptions(mariadb.application));
    await admin.query(`CREATE DATABASE \`${connection.database}\``).finally(() => admin.end());
    await migrate(connection, ownersOf(['system', 'relay', 'worker'], subgraphRows));
    const lab = await startLab({ folder: join(folder, 'lab'), log: silentLog, signal });
    if (!lab.available) throw new Error(`there is no lab: ${lab.unavailable}`);
    stack.defer(() => lab.stop());
    return await runRelayReboot({ ...given, lab, folder, database: { connection } });
  },
  mustBeZero: ['foreignDeleted', 'wrongMappings'],
});

const tenants = ['a', 'b'] as const;
type Tenant = (typeof tenants)[number];
/** The largest number of live objects of one tenant on one device. Older ones are deleted. */
const mostLive = 4;
const administrators = 3;
/** A person or an administrator's program needs at least this time between two requests. */
const handPauseMs = 50;

interface Owned {
  readonly mappingId: string;
  readonly operationId: string;
  readonly name: string;
  readonly device: 'firewall' | 'gate';
  readonly tenant: Tenant;
  readonly round: number;
}

export async function runRelayReboot(options: RelayRebootOptions): Promise<RelayRebootResult> {
  const startedMs = performance.now();
  await using stack = new AsyncDisposableStack();
  const gate = await FortiGate.start({});
  stack.defer(() => gate.stop());
  const administrator = new DriverCaller(fortios, webEndpoint(gate.https));
  stack.defer(() => administrator.stop());
  const wake = createLocalWake();
  stack.defer(() => wake.close());
  const node = await new RelayNode(options.database, wake, {}).start();
  stack.defer(() => node.stop());
  const places = await placesIn(options, stack);
  const trial = new Trial(options.lab, gate, administrator, node, seededRandom(options.seed));
  await trial.register(places);
  const rounds = new PlaceRounds(trial, places);
  let reboots = 0;
  for (; reboots < options.reboots; reboots += 1) {
    options.signal.throwIfAborted();
    if (options.timeIsUp?.() === true) break;
    await Promise.all([trial.round(reboots), rounds.round()]);
    if ((reboots + 1) % 25 === 0) options.progress(`${reboots + 1} reboots`);
  }
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  return { seed: options.seed, reboots, ...trial.figures, seconds };
}

async function placesIn({ folder, signal }: RelayRebootOptions, stack: AsyncDisposableStack): Promise<PlaceDevice[]> {
  const routers = await startRouters({ folder: join(folder, 'routers'), log: silentLog, signal });
  if (!routers.available) throw new Error(`there are no routers: ${routers.unavailable}`);
  stack.defer(() => routers.stop());
  const waf = await startApacheWaf({ folder: join(folder, 'waf'), log: silentLog, signal });
  if (!waf.available) throw new Error(`there is no firewall for web applications: ${waf.unavailable}`);
  stack.defer(() => waf.stop());
  const places = [await routerPlaces(routers, join(folder, 'routers')), await wafPlaces(waf), await switchPlaces()];
  for (const place of places) stack.defer(() => place.stop());
  return places;
}

class Trial implements PlaceTrial {
  readonly figures = {
    foreignDeleted: 0,
    wrongMappings: 0,
    calls: {} as Record<string, number>,
    findings: [] as string[],
  };
  readonly #lab: RunningLab;
  readonly #gate: FortiGate;
  readonly #administrator: DriverCaller;
  readonly #node: RelayNode;
  readonly random: Random;
  readonly #policies = tableOf('firewall/policy');
  /** Live objects as far as the tenants know, the oldest first. */
  #owned: Owned[] = [];
  #keys = 0;
  /** Policies that the administrator made. */
  readonly #byHand = new Set<string>();

  constructor(lab: RunningLab, gate: FortiGate, administrator: DriverCaller, node: RelayNode, random: Random) {
    this.#lab = lab;
    this.#gate = gate;
    this.#administrator = administrator;
    this.#node = node;
    this.random = random;
  }

  async register(places: readonly PlaceDevice[]): Promise<void> {
    for (const { name, backend } of places) await registerBackend(this.#node, { name, ...backend });
    const { host, port, username, privateKeyPath, hostKeySha256 } = this.#lab.firewall;
    const privateKey = await readFile(privateKeyPath, 'utf8');
    await registerBackend(this.#node, {
      name: 'firewall',
      host,
      port,
      hostKeySha256,
      credentials: { username, privateKey },
    });
    await registerBackend(this.#node, {
      ...{ name: 'gate', driver: 'fortios', host: this.#gate.host, port: this.#gate.https.port },
      certificateSha256: pinOf(this.#gate.https.certificate.sha256),
      credentials: { username: 'admin', password: 'secret' },
    });
    await this.#nft(
      'flush ruleset',
      'add table inet filter',
      'add chain inet filter forward { type filter hook forward priority 0; }',
    );
    for (let number = 0; number < administrators; number += 1)
      await this.#nft(`add rule inet filter forward ip saddr 192.0.2.${number} accept comment "admin ${number}"`);
  }

  /** Calls of both tenants on both devices, during which the firewall reboots and the administrator reuses a number. */
  async round(round: number): Promise<void> {
    const before = this.#owned;
    const file = await this.#nft('list ruleset');
    const saved = await this.#marks();
    const work: Promise<unknown>[] = [];
    for (const tenant of tenants)
      for (const device of ['firewall', 'gate'] as const) {
        work.push(this.#create(tenant, device, round));
        const own = before.filter((each) => each.tenant === tenant && each.device === device);
        if (own.length >= mostLive) work.push(this.#remove(this.random.pick(own)));
      }
    work.push(sleep(this.random.next() * 120).then(() => this.#reboot(file, round)));
    work.push(sleep(this.random.next() * 60).then(() => this.#useAgain(round)));
    await Promise.all(work);
    await this.#judge(before, saved);
  }

  async #create(tenant: Tenant, device: Owned['device'], round: number): Promise<void> {
    const name = `tenant-${tenant}-${round}`;
    const operation = device === 'firewall' ? 'rule.create' : 'policy.create';
    const args: JsonObject =
      device === 'firewall'
        ? { name, source: { address: `10.${tenant === 'a' ? 1 : 2}.${round >> 8}.${round & 255}` }, action: 'drop' }
        : { name, ...policySettings };
    const made = await this.call('relayCall', {
      ...{ backend: { name: device }, cmpObject: { type: 'tenant', externalId: name } },
      ...{ operation, arguments: args },
    });
    this.count(operation, made);
    if (made.mapping === null || made.operation === null || made.operation.state !== 'SUCCEEDED') return;
    const [row] = await this.#node.db.query<{ id: string; operationId: string }>(
      "SELECT id, operation_id AS operationId FROM mapping WHERE object_key = ? AND resource = ? AND state <> 'DELETED'",
      [name, device === 'firewall' ? 'rule' : 'policy'],
    );
    if (row === undefined) return;
    const { operationId } = row;
    this.#owned = [...this.#owned, { mappingId: made.mapping.id, operationId, name, device, tenant, round }];
  }

  /** Every second time with force, like an operator who trusts the mapping more than the verification. */
  async #remove(owned: Owned): Promise<void> {
    const force = this.random.next() < 0.5;
    const removed = await this.call('delete', { mappingId: owned.mappingId, force });
    this.count(`delete on ${owned.device}`, removed);
    const state = await this.#stateOf(owned);
    if (state === 'DELETED') this.#owned = this.#owned.filter((each) => each !== owned);
  }

  /** The rules in the file return in another order, with more or fewer rules of the administrator before them. */
  async #reboot(file: string, round: number): Promise<void> {
    const lines = file.split('\n');
    const rules = this.random.shuffle(lines.filter((line) => line.includes('comment "')));
    const others = lines.filter((line) => !line.includes('comment "'));
    const at = others.findIndex((line) => line.includes('hook forward')) + 1;
    const filling = Array.from({ length: round % 5 }, (_, index) => `ip saddr 198.51.100.${index} accept`);
    await this.#nft('flush ruleset', [...others.slice(0, at), ...filling, ...rules, ...others.slice(at)].join('\n'));
  }

  /** If a tenant has the highest policy, the administrator deletes it and creates another one, which gets its number. */
  async #useAgain(round: number): Promise<void> {
    const entries = this.#gate.device.cmdb.list('root', this.#policies);
    const [id, entry] = entries.toSorted(([one], [other]) => Number(other) - Number(one))[0] ?? [];
    const name = String(entry?.name);
    if (id === undefined || this.#byHand.has(name)) return;
    await this.#administrator.call('policy.delete', { name, policyId: Number(id) });
    await sleep(handPauseMs);
    const own = `admin-${round}`;
    const made = await this.#administrator.call('policy.create', { name: own, ...policySettings });
    if (made.state === 'SUCCEEDED') this.#byHand.add(own);
  }

  /** `saved`: the marks in the file that the firewall has loaded. No call is in flight at this point. */
  async #judge(before: readonly Owned[], saved: ReadonlyMap<string, string>): Promise<void> {
    const comments = await this.#comments();
    for (let number = 0; number < administrators; number += 1)
      if (!comments.includes(`admin ${number}`)) this.foreign(`rule admin ${number}`);
    const names = new Set(this.#gate.device.cmdb.list('root', this.#policies).map(([, entry]) => String(entry.name)));
    for (const own of this.#byHand) if (!names.has(own)) this.foreign(`policy ${own}`);
    const marks = await this.#marks();
    for (const owned of this.#owned) {
      // Everything in the firewall's file that its owner has not deleted must exist.
      if (
        owned.device === 'firewall' &&
        before.includes(owned) &&
        saved.has(owned.operationId) &&
        !marks.has(owned.operationId)
      )
        this.foreign(`rule ${owned.name}`);
      await this.verify(owned.mappingId);
    }
    const live = await this.#node.db.query<{
      name: string;
      uuid: string;
      operationId: string;
      result: string | null;
      same: number;
    }>(
      `SELECT m.object_key AS name, m.uuid, m.operation_id AS operationId, m.verify_result AS result,
        (SELECT COUNT(*) FROM mapping o WHERE o.backend_id = m.backend_id AND o.resource = m.resource AND o.uuid = m.uuid
          AND o.state = 'ACTIVE' AND o.verify_result = 'MATCHES') AS same
      FROM mapping m WHERE m.state = 'ACTIVE' AND m.verify_result = 'MATCHES'`,
    );
    for (const { name, uuid, operationId, same } of live) {
      const isRule = this.#owned.find((each) => each.operationId === operationId)?.device === 'firewall';
      if (same > 1) this.wrong(`${name}: ${same} verified mappings have the id ${uuid}`);
      if (isRule && marks.get(operationId) !== uuid)
        this.wrong(`${name}: the kernel has handle ${marks.get(operationId)}, the mapping ${uuid}`);
    }
    await this.#forgetLost();
  }

  async verify(mappingId: string): Promise<void> {
    this.#keys += 1;
    const text = 'mutation ($input: MappingVerifyInput!) { it: mappingVerify(input: $input) { userErrors { code } } }';
    const input = { id: mappingId, idempotencyKey: `reboot-${this.#keys}` };
    await this.#node.run(identity('OPERATOR'), text, { input });
  }

  /** Tenants forget objects that a reboot or the administrator has removed, except for some objects, which are deleted with force. */
  async #forgetLost(): Promise<void> {
    for (const owned of this.#owned) {
      const [row] = await this.#node.db.query<{ result: string | null }>(
        'SELECT verify_result AS result FROM mapping WHERE operation_id = ?',
        [owned.operationId],
      );
      if (row?.result === 'MATCHES' || this.random.next() < 0.3) continue;
      const removed = await this.call('delete', { mappingId: owned.mappingId, force: true });
      this.count(`delete of a lost one on ${owned.device}`, removed);
      if ((await this.#stateOf(owned)) !== 'DELETED') await this.forget(owned.mappingId);
      this.#owned = this.#owned.filter((each) => each !== owned);
    }
  }

  async forget(mappingId: string): Promise<void> {
    this.#keys += 1;
    const text = 'mutation ($input: MappingForgetInput!) { it: mappingForget(input: $input) { userErrors { code } } }';
    const input = { id: mappingId, idempotencyKey: `reboot-${this.#keys}` };
    await this.#node.run(identity('OPERATOR'), text, { input });
  }

  async mapping(uuid: string): Promise<PlaceMapping | undefined> {
    const text = 'SELECT state, verify_result AS result, verified_at AS verifiedAt FROM mapping WHERE id = ?';
    return (await this.#node.db.query<PlaceMapping>(text, [uuid]))[0];
  }

  async #stateOf(owned: Owned): Promise<string | undefined> {
    const [row] = await this.#node.db.query<{ state: string }>('SELECT state FROM mapping WHERE operation_id = ?', [
      owned.operationId,
    ]);
    return row?.state;
  }

  call(which: 'relayCall' | 'delete', input: Record<string, unknown>): Promise<CallShape> {
    this.#keys += 1;
    return call(this.#node, which, { idempotencyKey: `reboot-${this.#keys}`, ...input });
  }

  count(what: string, { operation, userErrors }: CallShape): void {
    const code = operation?.deviceError?.code ?? userErrors[0]?.code;
    const key = [what, operation?.state ?? 'REFUSED', ...(code === undefined ? [] : [code])].join(' ');
    this.figures.calls[key] = (this.figures.calls[key] ?? 0) + 1;
  }

  foreign(what: string): void {
    this.figures.foreignDeleted += 1;
    this.figures.findings.push(`deleted: ${what}`);
  }

  wrong(what: string): void {
    this.figures.wrongMappings += 1;
    this.figures.findings.push(what);
  }

  /** Handles of rules by the call that their mark names. */
  async #marks(): Promise<Map<string, string>> {
    const listed = await this.#list();
    const found = [...listed.matchAll(/comment "([^"]*)" # handle (\d+)/g)].map(([, comment, handle = '']) => {
      return [readMark(comment)?.operationId ?? '', handle] as const;
    });
    return new Map(found.filter(([id]) => id !== ''));
  }

  async #comments(): Promise<(string | undefined)[]> {
    return [...(await this.#list()).matchAll(/comment "([^"]*)"/g)].map(([, comment]) => comment);
  }

  async #list(): Promise<string> {
    return (await inNamespace(this.#lab.firewall.namespace, 'nft', ['--handle', 'list', 'ruleset'])).stdout;
  }

  /** One transaction, from outside the device. */
  async #nft(...lines: readonly string[]): Promise<string> {
    const input = `${lines.join('\n')}\n`;
    const { exitCode, stdout, stderr } = await inNamespace(this.#lab.firewall.namespace, 'nft', ['--file', '-'], {
      input,
    });
    if (exitCode !== 0) throw new Error(`nft in the lab's firewall, from outside: ${stderr.trim()}`);
    return stdout;
  }
}

const policySettings: JsonObject = {
  ...{ sourceInterfaces: ['any'], destinationInterfaces: ['any'], sourceAddresses: ['all'] },
  ...{ destinationAddresses: ['all'], services: ['ALL'], schedule: 'always', action: 'DENY' },
};
