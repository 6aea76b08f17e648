// An SSH device that answers like nft and quotes its own password, in any form that the test chooses.
import { SshDevice, type SshDeviceOptions } from '../../../../simulators/ssh-device.ts';

/** The reaction to the next command that is not a read of its tables. */
type Quote =
  | 'nothing'
  /** Refuses, with the words in standard error. */
  | 'in a refusal'
  /** Returns a list with the words in a comment. */
  | 'in a result'
  /** Answers unreadably. */
  | 'in nonsense';

/** A rule of its lists that can be mapped by this name; its statements contain the words. */
export const keptRule = 'kept';

export class EchoingDevice {
  readonly ssh: SshDevice;
  readonly #plan: { quote: Quote; words: string };

  private constructor(ssh: SshDevice, plan: { quote: Quote; words: string }) {
    this.ssh = ssh;
    this.#plan = plan;
  }

  static async start(options: SshDeviceOptions): Promise<EchoingDevice> {
    const plan = { quote: 'nothing' as Quote, words: '' };
    let handle = 100;
    const ssh = await SshDevice.start({
      ...options,
      onExec: async (execution) => {
        const stdin = await execution.stdin();
        const { quote, words } = plan;
        if (quote === 'in a refusal')
          return execution.reply('', { stderr: `Error: login of netops with ${words} has no right`, exitCode: 1 });
        if (quote === 'in nonsense') return execution.reply(`{"nftables": [ ${words}`);
        if (quote === 'in a result') return execution.reply(rulesWith(words));
        if (execution.command.startsWith('nft -j list tables'))
          return execution.reply('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}\n');
        handle += 1;
        execution.reply(stdin.replaceAll('"rule":{', `"rule":{"handle":${handle},`));
      },
    });
    return new EchoingDevice(ssh, plan);
  }

  /** Applies from now on. */
  quote(quote: Quote, words = ''): void {
    this.#plan.quote = quote;
    this.#plan.words = words;
  }
}

/** In the format of `nft -j list chain` (libnftables-json(5)), with a version that a health check accepts. */
function rulesWith(words: string): string {
  const place = { family: 'inet', table: 'filter' };
  const metainfo = { version: `1.0.6 ${words}`, release_name: words, json_schema_version: 1 };
  const rules = [
    { ...place, chain: 'forward', handle: 7, comment: words, expr: [{ drop: null }] },
    { ...place, chain: 'forward', handle: 8, comment: keptRule, expr: [{ log: { prefix: words } }] },
  ];
  const chain = { ...place, name: 'forward', handle: 1 };
  return JSON.stringify({ nftables: [{ metainfo }, { chain }, ...rules.map((rule) => ({ rule }))] });
}
