// A NETCONF server whose every word the test chooses, in the framing that the hellos select (RFC 6242). It sends
// messages that a real server never does.
import type { ServerChannel } from 'ssh2';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { framed, MessageReader } from '../../../../subgraphs/relay/transports/netconf-framing.ts';

const base = 'urn:ietf:params:xml:ns:netconf:base:1.0';
const capabilities = ['urn:ietf:params:netconf:base:1.1', 'urn:ietf:params:netconf:capability:candidate:1.0'];

export const helloOf = (...uris: readonly string[]): string =>
  `<hello xmlns="${base}"><capabilities>${uris.map((uri) => `<capability>${uri}</capability>`).join('')}</capabilities><session-id>7</session-id></hello>`;

/** Its answer to a request: a reply's content; raw bytes; nothing; or the end of the session. */
type Said = string | Buffer | readonly Buffer[] | 'nothing' | 'end';

/** `request`: the name of the operation, for example `lock`. */
export type Answers = (request: string, id: string, message: string) => Said;

export const ok: Answers = (request) =>
  request.startsWith('get') ? `<data xmlns="${base}"/>` : `<ok xmlns="${base}"/>`;

export class SaidNetconf {
  readonly ssh: SshDevice;
  /** The operations requested so far. */
  readonly asked: string[];
  readonly #plan: { answers: Answers };

  private constructor(ssh: SshDevice, plan: { answers: Answers }, asked: string[]) {
    this.ssh = ssh;
    this.#plan = plan;
    this.asked = asked;
  }

  static async start(hello: string | Buffer = helloOf(...capabilities)): Promise<SaidNetconf> {
    const plan = { answers: ok };
    const asked: string[] = [];
    const chunked = String(hello).includes('base:1.1');
    const ssh = await SshDevice.start({
      onSubsystem: (_name, channel) =>
        serve(channel, hello, chunked, (...request) => {
          asked.push(request[0]);
          return plan.answers(...request);
        }),
    });
    return new SaidNetconf(ssh, plan, asked);
  }

  /** Applies from now on. */
  answer(answers: Answers): void {
    this.#plan.answers = answers;
    this.asked.length = 0;
  }
}

export const replyOf = (id: string, content: string): string =>
  `<rpc-reply message-id="${id}" xmlns="${base}">${content}</rpc-reply>`;

export const errorOf = (tag: string, more = ''): string =>
  `<rpc-error xmlns="${base}"><error-type>application</error-type><error-tag>${tag}</error-tag><error-severity>error</error-severity>${more}</rpc-error>`;

function serve(channel: ServerChannel, hello: string | Buffer, chunked: boolean, answers: Answers): void {
  const reader = new MessageReader(16 * 1024 * 1024);
  channel.write(typeof hello === 'string' ? framed(hello, 'end-of-message') : hello);
  channel.on('data', (bytes: Buffer) => {
    reader.add(bytes);
    for (let taken = reader.take(); Buffer.isBuffer(taken); taken = reader.take()) {
      const message = taken.toString();
      if (message.includes('<hello')) {
        reader.framing = chunked ? 'chunked' : 'end-of-message';
        continue;
      }
      const [, id = ''] = /message-id="(\d+)"/.exec(message) ?? [];
      const [, request = ''] = /<rpc [^>]*><([a-z-]+)/.exec(message) ?? [];
      const said = answers(request, id, message);
      if (said === 'nothing') continue;
      if (said === 'end') channel.end();
      else if (typeof said === 'string') channel.write(framed(replyOf(id, said), reader.framing));
      else for (const piece of [said].flat()) channel.write(piece);
    }
  });
}
