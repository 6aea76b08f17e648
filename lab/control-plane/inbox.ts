// The lab's inbox in the graph: two alert channels of the project that send their messages to it.
import type { DescribedDevice } from '../device.ts';
import type { LabBackendsOptions } from './backends.ts';
import type { DeviceSetup } from './device-setup.ts';
import { askGraph, changeGraph, type GraphCaller } from './graph.ts';

interface KnownChannel {
  readonly id: string;
  readonly name: string;
  readonly default: boolean;
  readonly destination: string;
  readonly caCertificates: string | null;
}

const webhookName = 'lab-inbox';
const mailName = 'lab-inbox-mail';

export class InboxSetup implements DeviceSetup {
  readonly #options: LabBackendsOptions;

  constructor(options: LabBackendsOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {}

  async stop(): Promise<void> {}

  /** Creates the channels, or updates the inbox's address in them. */
  async register({ inbox }: DescribedDevice): Promise<void> {
    if (inbox === undefined) return;
    const { webhookUrl, mail, caCertificates } = inbox;
    const known = await this.#channels();
    const sent = { ...mail, security: 'TLS', sender: 'tidegate@lab.test', recipients: ['operator@lab.test'] };
    const wanted = [
      { name: webhookName, target: { webhook: { url: webhookUrl } }, destination: new URL(webhookUrl).host },
      { name: mailName, target: { mail: sent }, destination: `${mail.host}:${mail.port}` },
    ];
    for (const { name, target, destination } of wanted) {
      const channel = known.find((each) => each.name === name);
      const place = { target, caCertificates };
      if (channel === undefined) {
        // The default channel gets the alerts of rules without channels, so a person has nothing else to do.
        const isDefault = name === webhookName && !known.some((each) => each.default);
        await changeGraph(this.#caller, 'alertChannelCreate', { name, ...place, default: isDefault, groupMs: 1_000 });
      } else if (channel.destination !== destination || channel.caCertificates?.trim() !== caCertificates.trim())
        await changeGraph(this.#caller, 'alertChannelUpdate', { id: channel.id, ...place });
    }
  }

  /** Refused while a rule uses one of the channels. */
  async removal(): Promise<() => Promise<void>> {
    for (const { id, name } of await this.#channels())
      if (name === webhookName || name === mailName) await changeGraph(this.#caller, 'alertChannelDelete', { id });
    return async () => undefined;
  }

  get #caller(): GraphCaller {
    const { running, token, signal } = this.#options;
    return { url: running.url, token, signal };
  }

  async #channels(): Promise<readonly KnownChannel[]> {
    const { alertChannels } = await askGraph<{ alertChannels: { nodes: KnownChannel[] } }>(
      this.#caller,
      'query { alertChannels(first: 100) { nodes { id name default destination caCertificates } } }',
      {},
    );
    return alertChannels.nodes;
  }
}
