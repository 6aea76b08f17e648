// The backends of the lab's devices, each named after its device, registered through the graph like any other.
import { isDeepStrictEqual } from 'node:util';
import type { DeviceBackend } from '../device.ts';
import { askGraph, changeGraph, type GraphCaller } from './graph.ts';

export interface LabBackendsOptions {
  readonly running: { readonly url: string | undefined };
  /** An operator's API token. */
  readonly token: string;
  readonly signal: AbortSignal;
}

interface KnownBackend {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly hostKeySha256: string | null;
  readonly certificateSha256: string | null;
  readonly caCertificates: string | null;
  readonly options: Readonly<Record<string, unknown>>;
}

export const backendName = (name: string): string => `lab-${name}`;

export class LabBackends {
  readonly #options: LabBackendsOptions;

  constructor(options: LabBackendsOptions) {
    this.#options = options;
  }

  /** Creates the device's backend, or updates it if the device's address or identity has changed since. */
  async register(device: string, { driver, credentials, ...place }: DeviceBackend): Promise<void> {
    const known = await this.#find(device);
    if (known === undefined) {
      const labels = [{ name: 'lab', value: 'true' }];
      const input = { ...place, name: backendName(device), driver, site: 'lab', labels, allowInit: true, credentials };
      await changeGraph(this.#caller, 'backendCreate', input);
    } else if (!isSame(known, place)) {
      const options = { ...known.options, ...place.options };
      await changeGraph(this.#caller, 'backendUpdate', { ...place, id: known.id, options, credentials });
    }
  }

  /** Refused while it has live mappings, unless they may become orphans. */
  async delete(device: string, orphanMappings: boolean): Promise<void> {
    const known = await this.#find(device);
    if (known !== undefined) await changeGraph(this.#caller, 'backendDelete', { id: known.id, orphanMappings });
  }

  get #caller(): GraphCaller {
    const { running, token, signal } = this.#options;
    return { url: running.url, token, signal };
  }

  async #find(device: string): Promise<KnownBackend | undefined> {
    // A name is unique in the token's project.
    const { backends } = await askGraph<{ backends: { nodes: KnownBackend[] } }>(
      this.#caller,
      `query ($name: String!) { backends(names: [$name]) { nodes {
        id host port hostKeySha256 certificateSha256 caCertificates options } } }`,
      { name: backendName(device) },
    );
    return backends.nodes[0];
  }
}

/** A person may have set further options. */
function isSame(known: KnownBackend, place: Omit<DeviceBackend, 'driver' | 'credentials'>): boolean {
  const pin = place.certificateSha256;
  const canonical =
    pin === undefined ? null : `SHA256:${Buffer.from(pin, 'hex').toString('base64').replace(/=+$/, '')}`;
  return (
    known.host === place.host &&
    known.port === place.port &&
    known.hostKeySha256 === (place.hostKeySha256 ?? null) &&
    known.certificateSha256 === canonical &&
    known.caCertificates?.trim() === place.caCertificates?.trim() &&
    Object.entries(place.options ?? {}).every(([name, value]) => isDeepStrictEqual(known.options[name], value))
  );
}
