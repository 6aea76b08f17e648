// Calls of the openvswitch driver on a real Open vSwitch, through the relay's own transports.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RunningOpenVswitch } from '../../../../../lab/openvswitch.ts';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type {
  DriverOperation,
  JsonObject,
  Outcome,
  RenderContext,
  Reply,
  ResourceFinding,
  WireCall,
} from '../../../../../subgraphs/relay/drivers/driver.ts';
import { openVswitch } from '../../../../../subgraphs/relay/drivers/openvswitch/driver.ts';
import { createTransport } from '../../../../../subgraphs/relay/transports/factories.ts';
import type { Transport } from '../../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../../support/egress.ts';
import { renderContext } from '../../support/render-context.ts';

export type Wire = 'ovsdb' | 'ssh';

export function operation(name: string): DriverOperation {
  const found = openVswitch.operations.get(name);
  if (!found) throw new Error(`no operation ${name}`);
  return found;
}

export function checked(name: string, args: JsonObject): JsonObject {
  const result = validateArguments(operation(name), args);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.args;
}

export class SwitchCaller {
  readonly transport: Transport;
  readonly #wire: Wire;

  private constructor(transport: Transport, wire: Wire) {
    this.transport = transport;
    this.#wire = wire;
  }

  static async to(ovs: RunningOpenVswitch, wire: Wire, concurrency = 4): Promise<SwitchCaller> {
    const { certificates, ...at } = ovs.ovsdb;
    const { cert, key } = certificates.client;
    const { privateKeyPath, username, hostKeySha256, ...ssh } = ovs.ssh;
    const endpoint =
      wire === 'ovsdb'
        ? {
            ...at,
            hostKeySha256: null,
            caCertificates: certificates.ca,
            credentials: { username: '', clientCertificate: cert, privateKey: key },
          }
        : { ...ssh, hostKeySha256, credentials: { username, privateKey: await readFile(privateKeyPath, 'utf8') } };
    return new SwitchCaller(
      createTransport(wire, { ...endpoint, cryptoProfile: 'MODERN' }, { egress: testEgress, concurrency }),
      wire,
    );
  }

  context(operationId: string = randomUUID()): RenderContext {
    return renderContext(openVswitch, { operationId, options: { transport: this.#wire, datapathType: 'netdev' } });
  }

  async call(name: string, args: JsonObject = {}, operationId?: string): Promise<Outcome> {
    const given = checked(name, args);
    return operation(name).interpret(await this.#send(operation(name).render(given, this.context(operationId))), given);
  }

  async dryRun(name: string, args: JsonObject): Promise<Outcome | undefined> {
    const given = checked(name, args);
    const wireCall = operation(name).renderDryRun?.(given, this.context());
    if (!wireCall) throw new Error(`${name} has no dry run`);
    return operation(name).interpretDryRun?.(await this.#send(wireCall), given);
  }

  async look(resource: string, key: string): Promise<ResourceFinding> {
    const reader = openVswitch.resources?.get(resource);
    if (!reader) throw new Error(`no resource ${resource}`);
    const object = { scope: '', key, uuid: null };
    return reader.interpret(await this.#send(reader.render(object, this.context())), object);
  }

  async health() {
    return openVswitch.health.interpret(await this.#send(openVswitch.health.render(this.context())));
  }

  async #send(call: WireCall): Promise<Reply> {
    const sent = await this.transport.send(call, { deadlineMs: 10_000 });
    if (!sent.ok) throw new Error(sent.failure.message);
    return sent.reply;
  }
}

/** All data that calls can change, from the database. */
export async function contents(ovs: RunningOpenVswitch): Promise<string> {
  const parts = [
    ['--columns=_uuid,name,ports,datapath_type,external_ids', 'list', 'Bridge'],
    ['--columns=_uuid,name,interfaces,tag,trunks,vlan_mode,external_ids', 'list', 'Port'],
    ['--columns=_uuid,name,type,options,external_ids', 'list', 'Interface'],
    ['--columns=bridges,next_cfg', 'list', 'Open_vSwitch'],
  ];
  const listed = await Promise.all(parts.map((part) => ovs.vsctl('--no-wait', ...part)));
  return listed.map(({ stdout }) => stdout.split('\n\n').sort().join('\n\n')).join('\n----\n');
}

/** Deletes all bridges. */
export async function empty(ovs: RunningOpenVswitch): Promise<void> {
  const { stdout } = await ovs.vsctl('list-br');
  for (const bridge of stdout.split('\n').filter((line) => line !== '')) await ovs.vsctl('del-br', bridge);
}
