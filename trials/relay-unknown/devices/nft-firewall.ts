// The lab's firewall as a trial's device: real nft behind a real OpenSSH, with the device's own log. Each lane has its own chain
// and set.
import { readFile } from 'node:fs/promises';
import { type DeviceLogEntry, readDeviceLog } from '../../../lab/device-log.ts';
import { inNamespace } from '../../../lab/exec.ts';
import type { RunningLab } from '../../../lab/lab.ts';
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
import { addLog, faultsOf, LaneFaults } from './lab-device.ts';

export class NftFirewall implements TrialDevice {
  readonly name = 'nft over SSH';
  readonly #lab: RunningLab;
  readonly #privateKey: string;
  readonly faults: LaneFaults;

  private constructor(lab: RunningLab, privateKey: string) {
    this.#lab = lab;
    this.#privateKey = privateKey;
    this.faults = new LaneFaults(lab.faults);
  }

  /** The caller owns the lab. */
  static async on(lab: RunningLab, lanes: number): Promise<NftFirewall> {
    const firewall = new NftFirewall(lab, await readFile(lab.firewall.privateKeyPath, 'utf8'));
    const commands = Array.from({ length: lanes }, (_, lane) => [
      `add chain inet filter ${chainOf(lane)}`,
      `add set inet filter ${setOf(lane)} { type ipv4_addr; flags interval; }`,
    ]);
    await firewall.nft(commands.flat());
    return firewall;
  }

  backend(): JsonObject {
    const { host, port, username, hostKeySha256 } = this.#lab.firewall;
    const credentials = { username, privateKey: this.#privateKey };
    return { driver: 'linux-nftables', host, port, hostKeySha256, credentials };
  }

  create(lane: number, number: number): DeviceCall {
    const name = nameOf(lane, number);
    const source = { address: addressOf(lane, number) };
    const args = { name, chain: chainOf(lane), source, action: 'drop' };
    return { operation: 'rule.create', arguments: args, wireMark: name, argumentMark: name };
  }

  add(lane: number, number: number): { readonly call: DeviceCall } {
    return { call: this.#element('setElement.add', lane, number) };
  }

  /** Rules and elements take turns. */
  remove(lane: number, number: number) {
    if (number % 2 === 0) {
      const needs = this.#element('setElement.add', lane, number);
      return { needs, call: () => this.#element('setElement.remove', lane, number) };
    }
    const needs = this.create(lane, number);
    const call = (made: JsonValue): DeviceCall => {
      const { handle } = made as { readonly handle: number };
      const args = { name: needs.argumentMark, chain: chainOf(lane), handle };
      const wireMark = `"handle":${handle}}`;
      return { operation: 'rule.delete', arguments: args, wireMark, argumentMark: needs.argumentMark };
    };
    return { needs, call };
  }

  #element(operation: 'setElement.add' | 'setElement.remove', lane: number, number: number): DeviceCall {
    const address = addressOf(lane, number);
    const mark = `"${address}"`;
    return { operation, arguments: { set: setOf(lane), address }, wireMark: mark, argumentMark: mark };
  }

  disturb(lane: number, calls: readonly DeviceCall[], disturbance: Disturbance): Promise<void> {
    return this.faults.set(chainOf(lane), faultsOf(calls, disturbance));
  }

  calm(lane: number): Promise<void> {
    return this.faults.set(chainOf(lane), []);
  }

  async records(calls: readonly JournaledCall[]): Promise<Map<string, DeviceRecord>> {
    const book = new RecordBook();
    addLog(book, await this.log(), (stdin) => deletionIn(stdin) ?? stdin.trim());
    // The first line is the command. The deletion of a rule is a script, whose last input for nft has the call's id.
    return book.match(calls, ({ id, wireCall }) => {
      const input = wireCall.slice(wireCall.indexOf('\n') + 1).trim();
      return input.startsWith('{') ? input : `deletion ${id}`;
    });
  }

  /** nft reads the whole ruleset for each rule, so it must not grow with the trial. */
  async clean(lane: number): Promise<void> {
    await this.nft([`flush chain inet filter ${chainOf(lane)}`, `flush set inet filter ${setOf(lane)}`]);
  }

  stop(): Promise<void> {
    return this.faults.stop();
  }

  async #run(args: readonly string[], input: string): Promise<string> {
    const { exitCode, stdout, stderr } = await inNamespace(this.#lab.firewall.namespace, 'nft', args, { input });
    if (exitCode !== 0) throw new Error(`nft in the lab's firewall, from outside: ${stderr.trim()}`);
    return stdout;
  }

  /** This runs outside the device, so that the device's log has no entry about it. */
  async nft(commands: readonly string[]): Promise<void> {
    await this.#run(['--file', '-'], `${commands.join('\n')}\n`);
  }

  /** A set as nft's JSON, read from outside. */
  list(set: string): Promise<string> {
    return this.#run(['--json', 'list', 'set', 'inet', 'filter', set], '');
  }

  /** Its own log. */
  log(): Promise<DeviceLogEntry[]> {
    return readDeviceLog(this.#lab.deviceLogPath);
  }
}

/** Undefined if it is not the transaction that deletes a rule. */
function deletionIn(stdin: string): string | undefined {
  const id = /"name":"tidegate-([0-9a-f-]{36})".*"rule":/.exec(stdin)?.[1];
  return id === undefined ? undefined : `deletion ${id}`;
}

const chainOf = (lane: number): string => `lane${lane}`;
const setOf = (lane: number): string => `lane${lane}`;

/** One in 10.0.0.0/8 per lane (at most 64) and number (at most 65,535), no two of them adjacent. */
function addressOf(lane: number, number: number): string {
  const value = (lane << 18) + number * 2;
  return `10.${(value >> 16) & 255}.${(value >> 8) & 255}.${value & 255}`;
}
