// The driver at a real Neutron and Keystone, used like the relay uses it: arguments validated, calls over the relay's own HTTPS
// transport, replies read by the driver.
import { randomUUID } from 'node:crypto';
import type { KeystoneAccount, RunningNeutron } from '../../../../../lab/neutron.ts';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type {
  DriverOperation,
  HttpSessions,
  JsonObject,
  MappedObject,
  Outcome,
  ProbeFinding,
  Reply,
  ResourceFinding,
  WireCall,
} from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import { createHttpsTransport } from '../../../../../subgraphs/relay/transports/https-transport.ts';
import type { Endpoint, SendResult, Transport } from '../../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../../support/egress.ts';
import { renderContext } from '../../support/render-context.ts';
import { pinOf } from '../../transports/support/web-device.ts';

export const someId = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';

export function operationOf(name: string): DriverOperation {
  const found = neutron.operations.get(name);
  if (!found) throw new Error(`no operation ${name}`);
  return found;
}

export function checked(name: string, args: JsonObject): JsonObject {
  const result = validateArguments(operationOf(name), args);
  if (!result.ok) throw new Error(`${name}: ${JSON.stringify(result.faults)}`);
  return result.args;
}

export function faultsOf(name: string, args: JsonObject): string[] {
  const result = validateArguments(operationOf(name), args);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** A backend's options for a project of the lab. */
export function optionsFor(lab: RunningNeutron, account: KeystoneAccount): JsonObject {
  const { host, port } = lab.keystone;
  return { authUrl: `https://${host}:${port}/v3`, project: account.project };
}

export function endpointFor(lab: RunningNeutron, account: KeystoneAccount): Endpoint {
  const { host, port, certificateSha256 } = lab.neutron;
  const { username, password } = account;
  return {
    ...{ host, port, hostKeySha256: null, certificateSha256: pinOf(certificateSha256), cryptoProfile: 'MODERN' },
    credentials: { username, password },
  };
}

export class NeutronDriver {
  readonly transport: Transport;
  readonly #options: JsonObject;

  constructor(lab: RunningNeutron, account: KeystoneAccount, sessions: HttpSessions | undefined = neutron.https) {
    this.#options = optionsFor(lab, account);
    const { backend } = this.#context();
    const https = sessions === undefined ? {} : { https: sessions };
    this.transport = createHttpsTransport(endpointFor(lab, account), {
      egress: testEgress,
      concurrency: 2,
      backend,
      ...https,
    });
  }

  async call(name: string, args: JsonObject, operationId: string = randomUUID()): Promise<Outcome> {
    const given = checked(name, args);
    const reply = await this.ask(operationOf(name).render(given, this.#context(operationId)));
    return operationOf(name).interpret(reply, given);
  }

  /** The result of a call that must succeed. */
  async done(name: string, args: JsonObject, operationId?: string): Promise<JsonObject & { readonly id: string }> {
    const outcome = await this.call(name, args, operationId);
    if (outcome.state !== 'SUCCEEDED') throw new Error(`${name}: ${JSON.stringify(outcome)}`);
    return outcome.result as JsonObject & { readonly id: string };
  }

  async probe(name: string, args: JsonObject, operationId: string): Promise<ProbeFinding> {
    const given = checked(name, args);
    const { probe } = operationOf(name);
    if (!probe) throw new Error(`${name} has no probe`);
    const context = this.#context(operationId);
    return probe.interpret(await this.ask(probe.render(given, context)), given, context);
  }

  async look(resource: string, object: MappedObject): Promise<ResourceFinding> {
    const reader = neutron.resources?.get(resource);
    if (!reader) throw new Error(`no reader of ${resource}`);
    return reader.interpret(await this.ask(reader.render(object, this.#context())), object);
  }

  /** In the form of the call's mapping. */
  objectOf(name: string, args: JsonObject): { resource: string; scope: string; key: string } {
    const { object } = operationOf(name);
    if (!object) throw new Error(`${name} is about nothing`);
    return { ...object(checked(name, args)) };
  }

  /** In the form that the relay stores: JSON. */
  desired(name: string, args: JsonObject): JsonObject {
    const given = checked(name, args);
    return JSON.parse(JSON.stringify(operationOf(name).desired?.(given) ?? given)) as JsonObject;
  }

  async health() {
    return neutron.health.interpret(await this.ask(neutron.health.render(this.#context())));
  }

  send(wire: WireCall, deadlineMs = 20_000): Promise<SendResult> {
    return this.transport.send(wire, { deadlineMs });
  }

  render(name: string, args: JsonObject, operationId: string): WireCall {
    return operationOf(name).render(checked(name, args), this.#context(operationId));
  }

  async ask(wire: WireCall): Promise<Reply> {
    const sent = await this.send(wire);
    if (!sent.ok) throw new Error(JSON.stringify(sent.failure));
    return sent.reply;
  }

  stop(): Promise<void> {
    return this.transport.close();
  }

  #context(operationId: string = randomUUID()) {
    return renderContext(neutron, { operationId, options: this.#options });
  }
}
