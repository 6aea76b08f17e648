// A signing name server with a stepped wall clock, queried by a third-party validator.
import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Answerer } from '../../dns/answerer/answerer.ts';
import { systemClocks } from '../../dns/answerer/clocks.ts';
import { makeKey } from '../../dns/answerer/dnssec/keys.ts';
import { Keyring } from '../../platform/secrets/keyring.ts';
import { createSealer } from '../../platform/secrets/seal.ts';
import { question } from '../../tests/dns/answerer/support/packets.ts';
import { namePlan, zone, zonePlan } from '../../tests/dns/answerer/support/plans.ts';
import { keyFile } from '../../tests/support/product/test-context.ts';
import { delv } from '../dns-answers/asked-programs.ts';

const keys = [makeKey(257, true), makeKey(256, true)];
const plan = zonePlan([namePlan('shop'), namePlan('web')], { keys });
const questions: readonly (readonly [name: string, type: string, expected: string])[] = [
  [`shop.${zone}`, 'A', '; fully validated'],
  [`web.${zone}`, 'A', '; fully validated'],
  [zone, 'SOA', '; fully validated'],
  [`none.${zone}`, 'A', '; negative response, fully validated'],
];
const packets = 100;
const patienceMs = 10_000;

export class NameServer {
  readonly #folder: string;
  readonly #anchors: string;
  #port = 0;
  #answerer: Answerer | undefined;
  aheadMs = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#anchors = join(folder, 'anchors');
  }

  static async start(folder: string, cleanup: AsyncDisposableStack): Promise<NameServer> {
    const server = new NameServer(folder);
    const lines = keys.map(({ flags, publicKey }) => `"${zone}" static-key ${flags} 3 13 "${publicKey}";`);
    await writeFile(server.#anchors, `trust-anchors {\n${lines.join('\n')}\n};\n`);
    cleanup.defer(async () => server.#answerer?.close());
    await server.#start();
    server.#answerer?.put(plan);
    return server;
  }

  async #start(): Promise<void> {
    const clocks = systemClocks();
    this.#answerer = await Answerer.start({
      ...{ listen: [{ address: '127.0.0.1', port: this.#port }], name: 'ns-a', draw: () => 0 },
      limit: { answersPerSecond: 1_000, totalPerSecond: 1_000 },
      disk: { path: join(this.#folder, 'zones'), sealer: createSealer(new Keyring(keyFile)) },
      clocks: { ...clocks, wallMs: () => clocks.wallMs() + this.aheadMs },
      failed: (what, error) => {
        throw new Error(what, { cause: error });
      },
    });
    [this.#port = 0] = this.#answerer.ports;
  }

  /** It answers from its disk. */
  async restart(): Promise<void> {
    await this.#answerer?.close();
    await this.#start();
  }

  /** The number of answers that do not validate at the correct time. */
  async bogus(): Promise<number> {
    let bogus = 0;
    for (const [name, type, expected] of questions)
      if (!(await delv(this.#port, this.#anchors, zone, name, type)).includes(expected)) bogus += 1;
    return bogus;
  }

  /** How many of `packets` queries get no complete answer. */
  async dropped(): Promise<number> {
    const socket = createSocket('udp4');
    let answered = 0;
    socket.on('message', (answer) => {
      const isTruncated = ((answer[2] ?? 0) & 2) !== 0;
      if (!isTruncated) answered += 1;
    });
    try {
      const packet = question(`shop.${zone}`, { edns: { flags: 0x8000 } });
      for (let sent = 0; sent < packets; sent += 1) {
        socket.send(packet, this.#port, '127.0.0.1');
        await sleep(1);
      }
      for (const endMs = performance.now() + patienceMs; answered < packets && performance.now() < endMs; )
        await sleep(10);
      return packets - answered;
    } finally {
      socket.close();
    }
  }
}
