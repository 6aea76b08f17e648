// The conductor's end of the name servers' links, without a database. Tests set the zones and read the reported states.
import type { ZoneChange, ZonePlan } from '../../../../dns/policy/plan.ts';
import { applyZoneChange } from '../../../../dns/policy/plan.ts';
import { type LinkPeer, LinkServer, type LinkSession } from '../../../../platform/link/link-server.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import {
  conductorRole,
  type NameServerFacts,
  type NameServerState,
  nameServerFacts,
  nameServerRole,
  nameServerState,
  stateKey,
  zoneKey,
  zoneOfKey,
} from '../../../../subgraphs/gslb/wire/dns-wire.ts';
import { testMachine } from '../../../support/product/machines.ts';
import { testHistory } from '../../../support/stores/histories.ts';

export class TestConductor {
  readonly zones = new Map<string, ZonePlan>();
  facts: NameServerFacts | undefined;
  /** The last state of this connection. */
  state: NameServerState | undefined;
  readonly resent: string[] = [];
  readonly #log: Logger;
  #server: LinkServer | undefined;
  #peer: LinkPeer | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  async start(authority: CertificateAndKey, port = 0): Promise<void> {
    const tls = await testMachine(authority, conductorRole, 'conductor', this.#log);
    const open = async (peer: LinkPeer) => this.#open(peer);
    const role = nameServerRole;
    this.#server = await LinkServer.listen({ host: '127.0.0.1', port, tls, role, log: this.#log, open });
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
    this.state = undefined;
  }

  set(plan: ZonePlan): void {
    this.zones.set(plan.zone, plan);
    this.send(plan.zone, plan.generation, plan as unknown as JsonValue);
    this.whole();
  }

  change(change: ZoneChange): void {
    const plan = this.zones.get(change.zone);
    const after = plan && applyZoneChange(plan, change);
    if (after !== undefined) this.zones.set(change.zone, after);
    const asJson = change as unknown as Record<string, JsonValue>;
    this.#peer?.send({ type: 'change', key: zoneKey(change.zone), change: asJson });
  }

  remove(zone: string): void {
    this.zones.delete(zone);
    this.#peer?.send({ type: 'gone', key: zoneKey(zone) });
  }

  /** Sends any document, valid or not. */
  send(zone: string, generation: number, document: JsonValue): void {
    this.#peer?.send({
      type: 'document',
      key: zoneKey(zone),
      position: { history: testHistory, number: generation },
      document,
    });
  }

  whole(): void {
    this.#peer?.send({ type: 'whole' });
  }

  /** The generation that the name server answers with. */
  answered(zone: string): number | undefined {
    return this.state?.zones[zone]?.number;
  }

  #open(peer: LinkPeer): LinkSession {
    this.#peer = peer;
    this.facts = nameServerFacts.parse(peer.facts);
    return {
      epoch: 1,
      begin: () => {
        for (const [key] of peer.held) if (!this.zones.has(zoneOfKey(key) ?? '')) peer.send({ type: 'gone', key });
        for (const plan of this.zones.values())
          if (peer.held.get(zoneKey(plan.zone))?.number !== plan.generation) this.set(plan);
        this.whole();
      },
      report: async (key, body) => {
        if (key === stateKey) this.state = nameServerState.parse(body);
      },
      resend: (key) => {
        this.resent.push(key);
        const plan = this.zones.get(zoneOfKey(key) ?? '');
        if (plan !== undefined) this.set(plan);
      },
      closed: async () => undefined,
    };
  }
}
