// The lab of one `tidegate up`, through its command line and its graph.
// needs: system, nftables, iproute2, openssh-server, openssh-client, openvswitch-switch, frr, openssl, apache2-bin, libapache2-mod-security2, modsecurity-crs, python3, python3-distutils, root
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import { type BackendDeviceName, type DeviceName, isBackendDevice, type Trouble } from '../../../lab/device.ts';
import { labUnavailable } from '../../support/machine/lab.ts';
import { patience } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { ask, startUp, tokenOf, type UpProcess } from './up-process.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'tidegate.ts');
const run = promisify(execFile);

interface Call {
  readonly operation: {
    readonly id: string;
    readonly state: string;
    readonly deviceError: { code: string } | null;
  } | null;
  readonly mapping: { readonly id: string } | null;
  readonly userErrors: readonly { readonly code: string }[];
}
interface Row {
  readonly part: DeviceName;
  readonly state: string;
  readonly address: string | null;
  readonly note: string;
}
interface Settled extends NonNullable<Call['operation']> {
  readonly evidence: readonly { readonly finding: string }[];
}
interface Backend {
  readonly id: string;
  readonly operatingStatus: string;
}

export type Device = BackendDeviceName;

export const isRoot = process.getuid?.() === 0;
const isHere = (path: string): boolean => isRoot && existsSync(path);
/** The parts whose programs this machine has. */
export const here: Readonly<Record<Device, boolean>> = {
  firewall: labUnavailable() === undefined,
  fortigate: true,
  bigip: true,
  onyx: true,
  neo: true,
  openvswitch: isHere('/usr/sbin/ovsdb-server'),
  apache: isHere('/usr/lib/apache2/modules/mod_security2.so'),
  neutron: existsSync('/usr/lib/python3.11/distutils/versionpredicate.py'),
};
export const devices = Object.keys(here) as readonly Device[];
export const simulators = ['fortigate', 'bigip', 'onyx', 'neo'] as const;
/** The interval between two queries to the whole system, because several tests query at once. */
const pollMs = 50;
/** A write that the driver of each part can make, by its number. */
const writes: Readonly<Record<Device, (number: number) => readonly [operation: string, args: object]>> = {
  firewall: (number) => ['setElement.add', { set: 'blocked', address: `203.0.113.${number}` }],
  fortigate: (number) => ['address.create', { name: `web-${number}`, address: `192.0.2.${number}` }],
  bigip: (number) => ['pool.create', { name: `web-${number}` }],
  onyx: (number) => ['vlan.create', { vlan: 100 + number }],
  neo: (number) => ['vlan.create', { vlan: 100 + number, name: `net-${number}`, devices: ['10.224.15.29'] }],
  openvswitch: (number) => ['bridge.create', { bridge: `br-${number}` }],
  apache: (number) => [
    'rule.create',
    { site: 'shop.lab', id: 4_000 + number, variables: ['ARGS'], operator: 'contains', pattern: 'teapot' },
  ],
  neutron: (number) => ['network.create', { name: `net-${number}` }],
};

const fields = 'operation { id state deviceError { code } } mapping { id } userErrors { code message }';

export class LabSystem {
  data: string;
  up: UpProcess;
  readonly #folder: TemporaryFolder;
  readonly #token: string;
  readonly #via: readonly string[];
  #writes = 0;

  private constructor(folder: TemporaryFolder, data: string, up: UpProcess, token: string, via: readonly string[]) {
    this.#folder = folder;
    this.data = data;
    this.up = up;
    this.#token = token;
    this.#via = via;
  }

  /** `via`: a program that replaces itself with it, and in whose data folder it can write. */
  static async start(args: readonly string[], via: readonly string[] = []): Promise<LabSystem> {
    const folder = await temporaryFolder();
    if (via.length > 0) await chmod(folder.path, 0o777);
    const data = join(folder.path, 'data');
    const up = await startUp(data, args, homeOf(folder, via), via);
    return new LabSystem(folder, data, up, await tokenOf(data), via);
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    await this.#folder.remove();
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.up.child.kill(signal);
    await this.up.ended;
  }

  async restart(signal: 'SIGTERM' | 'SIGKILL', args: readonly string[] = []): Promise<void> {
    await this.end(signal);
    this.up = await startUp(this.data, args, homeOf(this.#folder, this.#via), this.#via);
  }

  async move(): Promise<void> {
    await this.end('SIGTERM');
    const to = `${this.data}-moved`;
    await rename(this.data, to);
    this.data = to;
    this.up = await startUp(to);
  }

  /** `tidegate lab` without `--json`. Returns its output. */
  async told(...words: readonly string[]): Promise<string> {
    // A test must not change the machine.
    const more = words[0] === 'add' ? ['--no-install'] : [];
    const { stdout } = await run(process.execPath, [program, 'lab', ...words, ...more, '--data', this.data], {
      timeout: 200_000 * patience,
    });
    return stdout;
  }

  async lab(...words: readonly string[]): Promise<readonly Row[]> {
    return JSON.parse(await this.told(...words, '--json')) as readonly Row[];
  }

  /** `up` becomes ready while some devices are still starting. */
  async started(): Promise<void> {
    await waitFor('all devices', async () => {
      const rows = await this.lab('list');
      return !rows.some(({ state }) => state === 'STARTING');
    });
  }

  async running(): Promise<readonly Device[]> {
    const rows = (await this.lab('list')).filter(({ state }) => state === 'RUNNING');
    return rows.map(({ part }) => part).filter(isBackendDevice);
  }

  async refusal(...words: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> {
    const place = words.includes('--data') ? [] : ['--data', this.data];
    const failed = await run(process.execPath, [program, 'lab', ...words, ...place]).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );
    if (failed === undefined) throw new Error(`lab ${words.join(' ')} was carried out`);
    return { code: failed.code, stderr: failed.stderr };
  }

  ask<Data>(query: string, variables: object = {}): Promise<Data> {
    return ask<Data>(this.up.url, this.#token, query, variables);
  }

  async backends(): Promise<Readonly<Record<string, Backend>>> {
    const query =
      '{ backends(first: 50) { nodes { id name port hostKeySha256 certificateSha256 caCertificates options operatingStatus } } }';
    const { backends: page } = await this.ask<{ backends: { nodes: (Backend & { name: string })[] } }>(query);
    return Object.fromEntries(page.nodes.map((each) => [each.name, each]));
  }

  async online(part: Device): Promise<void> {
    await waitFor(`lab-${part} to be ONLINE`, async () => {
      if ((await this.backends())[`lab-${part}`]?.operatingStatus === 'ONLINE') return true;
      return sleep(pollMs, false);
    });
  }

  async write(part: Device, more: object = {}): Promise<Call> {
    this.#writes += 1;
    const [operation, args] = writes[part](this.#writes);
    const input = {
      ...{ idempotencyKey: `lab-${this.#writes}`, backend: { name: `lab-${part}` }, operation, arguments: args },
      ...{ cmpObject: { type: 'tenant', externalId: part }, ...more },
    };
    const query = `mutation ($input: RelayCallInput!) { call: relayCall(input: $input) { ${fields} } }`;
    return (await this.ask<{ call: Call }>(query, { input })).call;
  }

  async settle(call: Call, more: object = {}): Promise<Settled | null> {
    const input = { idempotencyKey: randomUUID(), id: call.operation?.id, ...more };
    const query = `mutation ($input: RelayOperationSettleInput!) { call: relayOperationSettle(input: $input) { operation { id state deviceError { code } evidence { finding } } userErrors { code message } } }`;
    const { call: settled } = await this.ask<{ call: { operation: Settled | null } }>(query, { input });
    return settled.operation;
  }

  /** A read of the device finds the effect. Onyx stores no mark of a call, so a read alone settles a call only after a minute. */
  async settledByLook(what: string, part: Device, call: Call): Promise<void> {
    await waitFor(what, async () => {
      const found = await this.settle(call);
      if (found?.state === 'SUCCEEDED') return true;
      const isSeen = found?.evidence.at(-1)?.finding === 'AS_WANTED_SO_FAR';
      if (part !== 'onyx' || found?.state !== 'UNKNOWN' || !isSeen) return sleep(pollMs, false);
      const verdict = { verdict: 'SUCCEEDED', note: 'the device shows it, and its line is free', force: true };
      return (await this.settle(call, verdict))?.state === 'SUCCEEDED';
    });
  }

  /** The effect of a write. Some devices start a job for it, which a read then finds completed. */
  async done(part: Device): Promise<Call> {
    const call = await this.write(part);
    expect([part, call.userErrors]).toEqual([part, []]);
    if (call.operation?.state === 'ACCEPTED') await this.settledByLook(`the job of ${part}`, part, call);
    else expect([part, call.operation]).toMatchObject([part, { state: 'SUCCEEDED' }]);
    return call;
  }

  /** Any mapping of an object of this part. */
  async mappingOf(part: Device): Promise<string | undefined> {
    const query =
      'query ($name: String!) { backends(names: [$name]) { nodes { mappings(first: 1) { nodes { id } } } } }';
    const { backends: page } = await this.ask<{ backends: { nodes: { mappings: { nodes: { id: string }[] } }[] } }>(
      query,
      { name: `lab-${part}` },
    );
    return page.nodes[0]?.mappings.nodes[0]?.id;
  }

  async verified(mappingId: string | undefined): Promise<string | undefined> {
    const query =
      'mutation ($input: MappingVerifyInput!) { done: mappingVerify(input: $input) { mapping { lastVerification { result } } } }';
    const { done: answer } = await this.ask<{
      done: { mapping: { lastVerification: { result: string } | null } | null };
    }>(query, { input: { id: mappingId } });
    return answer.mapping?.lastVerification?.result;
  }

  /** Writes to a part with a fault. */
  async inTrouble(part: Device, trouble: Trouble): Promise<Call> {
    await this.lab('trouble', part, trouble);
    // Only a hanging call ends at its deadline.
    return this.write(part, trouble === 'hang' ? { deadlineMs: 1_500 } : {});
  }

  async over(part: Device): Promise<void> {
    await this.lab('trouble', part, 'none');
    await this.online(part);
  }

  /** The fault that a line causes at the part behind it. */
  async lineTroubles(part: Device, unknown: readonly Trouble[]): Promise<void> {
    for (const trouble of unknown) {
      // The line does not know calls: with a new connection, the fault would come before the call.
      await this.done(part);
      const call = await this.inTrouble(part, trouble);
      expect([part, trouble, call.operation?.state]).toEqual([part, trouble, 'UNKNOWN']);
      await this.over(part);
      await this.settledByLook(`a look after ${trouble}`, part, call);
    }
    const refused = await this.inTrouble(part, 'refuse');
    expect([part, 'SUCCEEDED', 'UNKNOWN']).not.toContain(refused.operation?.state);
    await this.over(part);
    await this.done(part);
  }
}

function homeOf({ path }: TemporaryFolder, via: readonly string[]): Readonly<Record<string, string>> {
  return via.length > 0 ? { HOME: path } : {};
}
