// Reads the host key or certificate that a device presents at an address where no backend is registered yet, for a person to compare
// and accept. No credential is involved. Dialling addresses that a caller names is bounded: by the egress policy, in time, for each
// caller, and for each project.
import type { BackendProofReadInput } from '../../../../generated/graph/relay.ts';
import { countsFor, type Identity, type RequestContext } from '../../../../platform/caller/identity.ts';
import { toUserErrors } from '../../../../platform/edge/mutation.ts';
import { refuse, type UserError } from '../../../../platform/errors/errors.ts';
import { oneProject, requireRole } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { type EgressPolicy, egressFromSource } from '../../../../platform/net/egress.ts';
import { lacksSource } from '../../../../platform/net/source-address.ts';
import { readCertificate } from '../../../../platform/net/tls-certificate.ts';
import { UnreadProofError } from '../../../../platform/net/unread-proof.ts';
import type { Driver, TransportKind } from '../../drivers/driver.ts';
import { mainTransport, provesByHostKey } from '../../drivers/options.ts';
import { readHostKey } from '../../transports/host-key.ts';
import type { RelaySettings } from '../settings.ts';
import { hexFingerprint } from './backend-input.ts';
import { checkReach } from './reach.ts';

interface ProofReading {
  readonly presented: {
    readonly kind: 'HOST_KEY' | 'CERTIFICATE';
    readonly sha256: string;
    readonly hex: string;
  } | null;
  readonly keyAlgorithm: string | null;
  readonly subject: string | null;
  readonly issuer: string | null;
  readonly validUntil: Date | null;
  readonly deviceError: { readonly code: string; readonly message: string } | null;
  readonly userErrors: readonly UserError[];
}

interface ProofReaderOptions {
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly egress: EgressPolicy;
  readonly settings: Pick<RelaySettings, 'connectTimeoutMs' | 'sourceAddress'>;
  readonly log: Logger;
}

interface Place {
  readonly driver: Driver;
  readonly host: string;
  readonly port: number;
  readonly kind: TransportKind;
}

/** All callers together. */
const mostAtOnce = 8;
const minuteMs = 60_000;

/** Who reads, with the bounds of each: a person needs a few readings, a scan many. */
interface Reader {
  readonly key: string;
  readonly atOnce: number;
  readonly inMinute: number;
}

/** A caller is a user with all sessions and API tokens. Tokens without a user are bounded together by their project. */
function readersOf(identity: Identity | null, projectId: string): readonly Reader[] {
  return [
    { key: `caller ${identity === null ? '' : countsFor(identity)}`, atOnce: 1, inMinute: 20 },
    { key: `project ${projectId}`, atOnce: mostAtOnce / 2, inMinute: 60 },
  ];
}

const nothing: ProofReading = {
  ...{ presented: null, keyAlgorithm: null, subject: null, issuer: null, validUntil: null },
  ...{ deviceError: null, userErrors: [] },
};

export class ProofReader {
  readonly #options: ProofReaderOptions;
  /** How many readings are under way, by reader. */
  readonly #reading = new Map<string, number>();
  /** When the last readings began, by reader. */
  readonly #begun = new Map<string, readonly number[]>();
  #underWay = 0;

  constructor(options: ProofReaderOptions) {
    this.#options = options;
  }

  async read(context: RequestContext, input: BackendProofReadInput): Promise<ProofReading> {
    try {
      const { identity } = context;
      const projectId = oneProject(identity, input.projectId);
      requireRole(identity, projectId, 'OPERATOR', 'backendProofRead');
      const place = this.#placeOf(input);
      const readers = readersOf(identity, projectId);
      this.#admit(readers);
      try {
        return await this.#ask(place, input, identity);
      } finally {
        this.#end(readers);
      }
    } catch (error) {
      const userErrors = toUserErrors(error);
      if (userErrors === undefined) throw error;
      return { ...nothing, userErrors };
    }
  }

  /** Refuses with all faults of the input. */
  #placeOf({ driver: name, host, port: given, transport }: BackendProofReadInput): Place {
    const { drivers, egress } = this.#options;
    const check = new InputCheck();
    const driver = drivers.get(name);
    if (driver === undefined)
      check.fault(
        'driver',
        `no driver is named ${JSON.stringify(name.slice(0, 80))}; there are: ${[...drivers.keys()].join(', ')}`,
      );
    check.host('host', host);
    if (given != null) check.port('port', given);
    const kind = transport == null ? driver && mainTransport(driver, {}) : (transport.toLowerCase() as TransportKind);
    const port = given ?? (kind && driver?.ports[kind]);
    if (driver !== undefined && kind !== undefined && driver.ports[kind] === undefined)
      check.fault('transport', `driver ${name} speaks ${Object.keys(driver.ports).join(' and ')}, not ${kind}`);
    check.throwIfAny();
    if (driver === undefined || kind === undefined || port === undefined) throw new Error('the input was checked');
    const reach = { host, port, options: { transport: kind } };
    checkReach(check, egress, driver, reach, { host: true, port: given != null, options: false });
    check.throwIfAny();
    return { driver, host, port, kind };
  }

  /** Refuses BUSY and RATE_LIMITED. */
  #admit(readers: readonly Reader[]): void {
    const nowMs = performance.now();
    for (const [each, times] of this.#begun)
      if (times.every((atMs) => atMs <= nowMs - minuteMs)) this.#begun.delete(each);
    if (readers.some(({ key, atOnce }) => (this.#reading.get(key) ?? 0) >= atOnce))
      refuse('BUSY', 'another proof of identity is being read for you: wait for its answer', { retryAfterMs: 1_000 });
    if (this.#underWay >= mostAtOnce)
      refuse('BUSY', `${mostAtOnce} proofs of identity are being read: try again in a moment`, { retryAfterMs: 1_000 });
    for (const { key, inMinute } of readers) {
      const times = this.#timesOf(key, nowMs);
      if (times.length < inMinute) continue;
      const retryAfterMs = Math.ceil((times[0] ?? nowMs) + minuteMs - nowMs);
      refuse('RATE_LIMITED', `${inMinute} proofs of identity were read for you in this minute`, { retryAfterMs });
    }
    this.#underWay += 1;
    for (const { key } of readers) {
      this.#reading.set(key, (this.#reading.get(key) ?? 0) + 1);
      this.#begun.set(key, [...this.#timesOf(key, nowMs), nowMs]);
    }
  }

  /** Those of the last minute. */
  #timesOf(key: string, nowMs: number): readonly number[] {
    return (this.#begun.get(key) ?? []).filter((atMs) => atMs > nowMs - minuteMs);
  }

  #end(readers: readonly Reader[]): void {
    this.#underWay -= 1;
    for (const { key } of readers) {
      const left = (this.#reading.get(key) ?? 0) - 1;
      if (left > 0) this.#reading.set(key, left);
      else this.#reading.delete(key);
    }
  }

  async #ask(
    { driver, host, port, kind }: Place,
    { cryptoProfile = 'MODERN' }: BackendProofReadInput,
    identity: Identity | null,
  ): Promise<ProofReading> {
    const { settings, log } = this.#options;
    const { connectTimeoutMs: timeoutMs, sourceAddress } = settings;
    if (lacksSource(sourceAddress, host)) {
      const message = `This host does not have the address ${sourceAddress} now, from which backends are called. Nothing was sent.`;
      return { ...nothing, deviceError: { code: 'SOURCE_MISSING', message } };
    }
    log.info({ caller: identity?.name, host, port, driver: driver.name }, 'a proof of identity is read');
    const egress = egressFromSource(this.#options.egress, sourceAddress);
    const where = { host, port, egress, timeoutMs, cryptoProfile };
    try {
      if (provesByHostKey(kind)) {
        const { sha256, algorithm } = await readHostKey(where);
        const presented = { kind: 'HOST_KEY', sha256, hex: hexFingerprint(sha256) } as const;
        return { ...nothing, presented, keyAlgorithm: algorithm };
      }
      const { sha256, subject, issuer, validUntil } = await readCertificate(where);
      const presented = { kind: 'CERTIFICATE', sha256, hex: hexFingerprint(sha256) } as const;
      return { ...nothing, presented, subject, issuer, validUntil };
    } catch (error) {
      if (!(error instanceof UnreadProofError)) throw error;
      return {
        ...nothing,
        deviceError: { code: error.denied ? 'EGRESS_DENIED' : 'CONNECT_FAILED', message: error.message },
      };
    }
  }
}
