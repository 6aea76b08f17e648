// Calls of the onyx driver on a simulated switch, through the relay's own transports.
import { randomUUID } from 'node:crypto';
import { readCertificate } from '../../../../../platform/net/tls-certificate.ts';
import type { OnyxSwitch } from '../../../../../simulators/onyx/switch.ts';
import { validateArguments } from '../../../../../subgraphs/relay/drivers/arguments.ts';
import type {
  DriverOperation,
  JsonObject,
  MappedObject,
  Outcome,
  RenderContext,
  Reply,
  WireCall,
} from '../../../../../subgraphs/relay/drivers/driver.ts';
import { onyx } from '../../../../../subgraphs/relay/drivers/onyx/driver.ts';
import { createTransport } from '../../../../../subgraphs/relay/transports/factories.ts';
import type { SendResult, Transport } from '../../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../../support/egress.ts';
import { renderContext } from '../../support/render-context.ts';

export type Wire = 'ssh' | 'https';

export function operation(name: string): DriverOperation {
  const found = onyx.operations.get(name);
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

  static async to(
    device: OnyxSwitch,
    wire: Wire,
    more: { readonly concurrency?: number; readonly password?: string; readonly connectTimeoutMs?: number } = {},
  ): Promise<SwitchCaller> {
    const { concurrency = 4, password = 'secret', connectTimeoutMs = 10_000 } = more;
    const server = device[wire];
    const at = { host: server.host, port: server.port, egress: testEgress, timeoutMs: 5_000 };
    const proof =
      wire === 'ssh'
        ? { hostKeySha256: device.ssh.hostKeySha256 }
        : { hostKeySha256: null, certificateSha256: (await readCertificate(at)).sha256 };
    const credentials = { username: 'admin', password };
    const { cli, https } = onyx;
    const backend = renderContext(onyx, { options: { transport: wire } }).backend;
    const transport = createTransport(
      wire,
      { ...at, ...proof, cryptoProfile: 'MODERN', credentials },
      { egress: testEgress, concurrency, connectTimeoutMs, backend, ...(cli && { cli }), ...(https && { https }) },
    );
    return new SwitchCaller(transport, wire);
  }

  context(): RenderContext {
    return renderContext(onyx, { operationId: randomUUID(), options: { transport: this.#wire } });
  }

  async call(name: string, args: JsonObject = {}): Promise<Outcome> {
    const given = checked(name, args);
    return operation(name).interpret(await this.#reply(operation(name).render(given, this.context())), given);
  }

  /** The transport's result. */
  send(name: string, args: JsonObject, deadlineMs = 10_000): Promise<SendResult> {
    return this.transport.send(operation(name).render(checked(name, args), this.context()), { deadlineMs });
  }

  async look(resource: string, at: Partial<MappedObject> & { readonly key: string }) {
    const reader = onyx.resources?.get(resource);
    if (!reader) throw new Error(`no resource ${resource}`);
    const object = { scope: '', uuid: null, ...at };
    return reader.interpret(await this.#reply(reader.render(object, this.context())), object);
  }

  async health() {
    return onyx.health.interpret(await this.#reply(onyx.health.render(this.context())));
  }

  async #reply(call: WireCall): Promise<Reply> {
    const sent = await this.transport.send(call, { deadlineMs: 10_000 });
    if (!sent.ok) throw new Error(`${sent.failure.code}: ${sent.failure.message}`);
    return sent.reply;
  }
}
