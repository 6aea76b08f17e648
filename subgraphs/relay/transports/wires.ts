// All wires to one backend: most have one, some (REST and a command line) two. A wire is made when a call first needs it.

import { type EgressPolicy, egressFromSource } from '../../../platform/net/egress.ts';
import { failed, type ReserveFailure, type SendOptions } from '../../../platform/net/send.ts';
import { lacksSource } from '../../../platform/net/source-address.ts';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';
import { type DeviceAddress, deviceAddress } from '../drivers/device-address.ts';
import type { Credentials, Driver, JsonObject, TransportKind, WireCall } from '../drivers/driver.ts';
import { mainTransport, portOf, transportOf } from '../drivers/options.ts';
import { legible } from './legible.ts';
import { createRedactor, type Redactor } from './redact.ts';
import type { SendResult, Slot, Transport, TransportFactory } from './session.ts';

/** A backend as its wires see it; two equal ones can share them. */
export interface BackendEndpoint {
  readonly host: string;
  readonly port: number;
  readonly hostKeySha256: string | null;
  readonly certificateSha256: string | null;
  readonly caCertificates: string | null;
  readonly cryptoProfile: CryptoProfile;
  readonly credentials: Credentials;
  readonly options: JsonObject;
}

interface WiresOptions {
  readonly transports: TransportFactory;
  readonly egress: EgressPolicy;
  /** Calls at once, on each wire. */
  readonly concurrency: number;
  readonly connectTimeoutMs: number;
  /** See RelaySettings. */
  readonly sourceAddress: string | undefined;
  /** As last read; a login may depend on it. */
  readonly softwareVersion: string | null;
}

/** The result of the call, where it went, and the redactor that removes the backend's secrets from data derived from it. */
export type Asked = SendResult & { readonly redactor: Redactor; readonly address: DeviceAddress };

/** A slot with the place to which it leads, and the redactor that removes its session's secrets from the reply. */
export interface WiresSlot extends Slot {
  readonly redactor: Redactor;
  readonly address: DeviceAddress;
}

type WiresReservation =
  | { readonly ok: true; readonly slot: WiresSlot }
  | { readonly ok: false; readonly failure: ReserveFailure };

export class Wires {
  readonly redactor: Redactor;
  readonly address: DeviceAddress;
  readonly #driver: Driver;
  readonly #endpoint: BackendEndpoint;
  readonly #options: WiresOptions;
  readonly #transports = new Map<TransportKind, Transport>();
  #closed = false;

  constructor(driver: Driver, endpoint: BackendEndpoint, options: WiresOptions) {
    this.redactor = createRedactor(endpoint.credentials);
    this.address = deviceAddress(driver, endpoint);
    this.#driver = driver;
    this.#endpoint = endpoint;
    this.#options = options;
  }

  tryReserve(kind: TransportKind): WiresSlot | undefined {
    const slot = this.#lacksSource ? undefined : this.#of(kind)?.tryReserve();
    return slot && this.#slot(slot);
  }

  async reserve(kind: TransportKind, options: { readonly signal?: AbortSignal } = {}): Promise<WiresReservation> {
    const transport = this.#of(kind);
    if (transport === undefined) return this.#none(kind);
    if (this.#lacksSource) return this.#sourceMissing();
    const reservation = await transport.reserve(options);
    return reservation.ok ? { ok: true, slot: this.#slot(reservation.slot) } : reservation;
  }

  /** Reserve and send, for reads and checks. */
  async send(call: WireCall, options: SendOptions): Promise<Asked> {
    const kind = transportOf(call);
    const transport = this.#of(kind);
    const sent =
      transport === undefined
        ? this.#none(kind)
        : this.#lacksSource
          ? this.#sourceMissing()
          : legible(await transport.send(call, options));
    return { ...sent, redactor: this.redactor, address: this.address };
  }

  state(kind?: TransportKind): { readonly sessions: number; readonly channels: number } {
    let [sessions, channels] = [0, 0];
    for (const [of, transport] of this.#transports) {
      if (kind !== undefined && of !== kind) continue;
      const state = transport.state();
      sessions += state.sessions;
      channels += state.channels;
    }
    return { sessions, channels };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#transports.values()].map((transport) => transport.close()));
  }

  #slot(slot: Slot): WiresSlot {
    const { redactor, address } = this;
    return {
      redactor,
      address,
      send: async (call, options) => {
        if (!this.#lacksSource) return legible(await slot.send(call, options));
        slot.release();
        return this.#sourceMissing();
      },
      release: () => slot.release(),
    };
  }

  /** The address may move to another host while a session is open. */
  get #lacksSource(): boolean {
    return lacksSource(this.#options.sourceAddress, this.#endpoint.host);
  }

  #sourceMissing() {
    const message = `This host does not have the address ${this.#options.sourceAddress} now, from which backends are called. Nothing was sent.`;
    return failed('SOURCE_MISSING', message);
  }

  #of(kind: TransportKind): Transport | undefined {
    const known = this.#transports.get(kind);
    if (known !== undefined || this.#closed) return known;
    const { host, options, ...endpoint } = this.#endpoint;
    const port = portOf(this.#driver, this.#endpoint, kind);
    if (port === undefined) return undefined;
    const { transports, concurrency, connectTimeoutMs, softwareVersion, sourceAddress } = this.#options;
    const egress = egressFromSource(this.#options.egress, sourceAddress);
    const { cli, https } = this.#driver;
    const transport = transports(
      kind,
      { ...endpoint, host, port },
      {
        egress,
        concurrency,
        connectTimeoutMs,
        backend: { transport: mainTransport(this.#driver, options), options, softwareVersion },
        learn: (secrets) => this.redactor.learn(secrets),
        hide: (text) => this.redactor.text(text),
        ...(cli === undefined ? {} : { cli }),
        ...(https === undefined ? {} : { https }),
      },
    );
    this.#transports.set(kind, transport);
    return transport;
  }

  #none(kind: TransportKind): {
    readonly ok: false;
    readonly failure: { kind: 'NOT_SENT'; code: 'CLOSED'; message: string };
  } {
    const message = this.#closed ? 'The sessions are closed.' : `Driver ${this.#driver.name} does not support ${kind}.`;
    return { ok: false, failure: { kind: 'NOT_SENT', code: 'CLOSED', message } };
  }
}
