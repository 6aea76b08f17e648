// Calls to a device that stays the same while the database is backed up and restored. Each key is sent once while the database is under load, and
// again to a relay on the restored database. The device is the oracle: it counts how often each call was carried out.
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalWake } from '../../platform/work/wake.ts';
import type { BackedUp } from '../../tests/backup/support/backed-up.ts';
import { NftDevice } from '../../tests/subgraphs/relay/support/nft-device.ts';
import { call, RelayNode } from '../../tests/subgraphs/relay/support/relay-system.ts';
import { untilEnded } from '../calls/journal-evidence.ts';
import { untilTrue } from '../until.ts';

export interface SentAgain {
  /** Calls whose recorded outcome was the answer. */
  readonly answered: number;
  /** Calls that were refused, because the restored database lacks them. */
  readonly uncertain: number;
  /** Calls that the device carried out more than once. */
  readonly repeatedCalls: number;
}

const backend = 'fw';
const pauseMs = 50;
const mostAnswerMs = 60_000;
/** The client sends such a request again. */
const passing: ReadonlySet<string> = new Set(['UNAVAILABLE', 'IN_PROGRESS']);

export class Calls implements AsyncDisposable {
  readonly #device: NftDevice;
  readonly #node: RelayNode;
  readonly #cleanup: AsyncDisposableStack;
  readonly #ended: Promise<void>;
  /** Of the rules, each made by one call. */
  readonly #names: string[] = [];
  #stops = false;

  private constructor(device: NftDevice, node: RelayNode, cleanup: AsyncDisposableStack) {
    this.#device = device;
    this.#node = node;
    this.#cleanup = cleanup;
    this.#ended = this.#make();
    this.#ended.catch(() => undefined);
  }

  static async start(world: BackedUp): Promise<Calls> {
    // Nothing here maintains the trusted time.
    await world.sql.query("UPDATE trusted_clock SET trusted_at = '9999-12-31'");
    await using cleanup = new AsyncDisposableStack();
    const device = cleanup.adopt(await NftDevice.start(), ({ ssh }) => ssh.stop());
    const node = await startRelay(world.location, cleanup);
    await device.register(node, backend);
    return new Calls(device, node, cleanup.move());
  }

  /** Sends all keys since the last restore again. `location`: the restored database. */
  async again(location: BackedUp['location']): Promise<SentAgain> {
    const names = this.#names.splice(0);
    await using cleanup = new AsyncDisposableStack();
    const node = await startRelay(location, cleanup);
    const answers: string[] = [];
    for (const name of names) answers.push(await finalAnswer(node, name));
    // Recovery may still decide about calls that were under way in the copy.
    await untilEnded(node.db, mostAnswerMs);
    const answersOf = (wanted: string) => answers.filter((each) => each === wanted).length;
    return {
      answered: answersOf('SUCCEEDED'),
      uncertain: answersOf('REPLAY_UNCERTAIN'),
      repeatedCalls: names.filter((name) => this.#device.timesTold(name) > 1).length,
    };
  }

  /** Throws the error of a call that got no answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stops = true;
    try {
      await this.#ended;
    } finally {
      await this.#cleanup.disposeAsync();
    }
  }

  async #make(): Promise<void> {
    for (let number = 1; !this.#stops; number += 1) {
      const name = `rule-${number}-end`;
      this.#names.push(name);
      await call(this.#node, 'ruleCreate', rule(name));
      await sleep(pauseMs);
    }
  }
}

async function startRelay(connection: BackedUp['location'], cleanup: AsyncDisposableStack): Promise<RelayNode> {
  const wake = createLocalWake();
  cleanup.defer(() => wake.close());
  return cleanup.adopt(await new RelayNode({ connection }, wake, {}).start(), (each) => each.stop());
}

/** Repeats the request until the relay gives a final answer, as a client does. Returns the state of the call, or the code of its refusal. */
async function finalAnswer(node: RelayNode, name: string): Promise<string> {
  let answer: string | undefined;
  await untilTrue(mostAnswerMs, async () => {
    const { operation, userErrors } = await call(node, 'ruleCreate', rule(name));
    const code = userErrors[0]?.code;
    if (code !== undefined && passing.has(code)) return false;
    answer = operation?.state ?? code;
    return answer !== undefined;
  });
  if (answer === undefined) throw new Error(`the call of ${name} got no final answer within ${mostAnswerMs} ms`);
  return answer;
}

/** A rule is not idempotent: made twice, it is there twice. */
const rule = (name: string) => ({
  ...{ backend: { name: backend }, idempotencyKey: `key-${name}`, name, action: 'DROP' },
  cmpObject: { type: 'tenant', externalId: name },
});
