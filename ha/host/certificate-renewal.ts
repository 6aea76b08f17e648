// Renews the certificates of this host, after two thirds of their life or when a person asks. The first host issues them for the same keys, so
// the host stays the same member, and open connections continue.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SetupLog } from '../../embedded/setup-log.ts';
import type { HaKeys } from '../agent/keys.ts';
import { type EtcdClient, EtcdError } from '../etcd.ts';
import { areDue, certificatesEndOf, publicKeyIn } from './certificate-life.ts';
import { renewFor } from './first-host.ts';
import { changeHostFile, type HostFile, readHostFile } from './host-file.ts';
import { renewedAt } from './join-client.ts';

interface RenewalOptions {
  readonly dataPath: string;
  readonly etcd: EtcdClient;
  readonly keys: HaKeys;
  readonly me: string;
  readonly log: SetupLog;
  /** Gives the new certificates to the processes. */
  readonly onRenewed: (file: HostFile) => Promise<void>;
  /** Default: the machine's clock. */
  readonly nowMs?: () => number;
}

const lookEveryMs = 2_000;
/** After a failure, and between two looks at the life of the certificates. */
const againMs = 3_600_000;
const dayMs = 86_400_000;
/** Warned about this many days before the end, and each day of the last three. */
const warningDays = [30, 14, 3, 2, 1];

export class CertificateRenewal {
  readonly #options: RenewalOptions;
  /** Renewed, and not yet with all processes. */
  #issued: HostFile | undefined;
  #looksAtMs = Number.NEGATIVE_INFINITY;
  #triesAtMs = Number.NEGATIVE_INFINITY;
  #warnedDays = Number.POSITIVE_INFINITY;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** Resolves at the signal. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        if (!(error instanceof EtcdError))
          this.#options.log.warn(`ha: the certificates are looked after again: ${String(error)}`);
      });
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Throws EtcdError, system errors. */
  async look(): Promise<void> {
    const { etcd, keys, me, nowMs = Date.now } = this.#options;
    const key = keys.renew(me);
    const [wish] = (await etcd.get(key)).entries.filter((each) => each.key === key);
    if (wish !== undefined || this.#issued !== undefined) {
      if (!(await this.#renew())) return;
      if (wish !== undefined) await etcd.transact([{ key, revision: wish.revision }], [{ delete: key }]);
    } else if (nowMs() >= this.#looksAtMs) {
      this.#looksAtMs = nowMs() + againMs;
      const file = await readHostFile(this.#options.dataPath);
      if (areDue(file, nowMs()) && !(await this.#renew())) this.#warn(file, nowMs());
    }
  }

  /** Whether it was renewed. */
  async #renew(): Promise<boolean> {
    const { log, onRenewed, dataPath, nowMs = Date.now } = this.#options;
    if (nowMs() < this.#triesAtMs) return false;
    try {
      // A process that can't take it must not cost a further certificate: their number is limited.
      this.#issued ??= await renewCertificates(dataPath);
      await onRenewed(this.#issued);
      log.info(`ha: the certificates are renewed, until ${certificatesEndOf(this.#issued).toISOString()}`);
      this.#issued = undefined;
      return true;
    } catch (error) {
      this.#triesAtMs = nowMs() + lookEveryMs * 5;
      log.warn(`ha: the certificates were not renewed, and are tried again: ${String(error)}`);
      return false;
    }
  }

  #warn(file: HostFile, nowMs: number): void {
    const end = certificatesEndOf(file);
    const leftDays = Math.ceil((end.getTime() - nowMs) / dayMs);
    const reached = warningDays.findLast((each) => leftDays <= each);
    if (reached === undefined || reached >= this.#warnedDays) return;
    this.#warnedDays = reached;
    this.#options.log.error(
      `ha: a certificate of ${file.me} ends in ${leftDays} days, at ${end.toISOString()}: "tidegate ha renew-certificates" renews it`,
    );
  }
}

/** Throws JoinRefusal, EtcdError, system errors. */
export async function renewCertificates(dataPath: string): Promise<HostFile> {
  const file = await readHostFile(dataPath);
  const member = file.members.find(({ name }) => name === file.me);
  if (member === undefined) throw new Error(`the host file does not list ${file.me} itself`);
  const servedKey = file.served && publicKeyIn(file.served.certificate);
  const renewed =
    file.first === undefined
      ? await renewedAt(file, servedKey)
      : await renewFor(dataPath, member, publicKeyIn(file.certificate), servedKey);
  const { authority, certificate, servedCertificate } = renewed;
  if (publicKeyIn(authority) !== publicKeyIn(file.authority))
    throw new Error('the first host gave the certificate of another authority');
  return changeHostFile(dataPath, ({ served, ...now }) => ({
    ...{ ...now, authority, certificate },
    ...(served && { served: { ...served, certificate: servedCertificate ?? served.certificate } }),
  }));
}
