// The queue of new documents for the judge. Users and networks take turns, and each has a limit. So a flood from one delays another's document by
// only one judgement.
import { CodedError } from '../../platform/errors/errors.ts';
import { FairTurns } from '../../platform/work/fair-turns.ts';

export interface Asker {
  /** The user or API token, or the network of a client without a login. */
  readonly sender: string;
  /** Undefined if it is not counted. */
  readonly network: string | undefined;
}

/** A document takes one place in the queue for each 16 KiB or part of it. */
const placeLength = 16 * 1024;
const [mostOfSender, mostOfNetwork, most] = [100, 300, 1_000];
const longestWaitMs = 10_000;
const retryAfterMs = 1_000;

export class JudgementQueue {
  readonly #turns = new FairTurns({ atOnce: 1, mostWaiting: most, waitMs: longestWaitMs, refusal: busy });
  readonly #places = new Map<string, number>();
  #taken = 0;

  /** Runs the work in its turn. `length`: the document's. Throws RATE_LIMITED and BUSY. */
  async run<Result>({ sender, network }: Asker, length: number, work: () => Promise<Result>): Promise<Result> {
    const places = 1 + Math.floor(length / placeLength);
    const holders = network === undefined ? [`sender ${sender}`] : [`sender ${sender}`, `network ${network}`];
    if (this.#taken + places > most) throw busy();
    for (const [index, holder] of holders.entries()) {
      const mostOfHolder = index === 0 ? mostOfSender : mostOfNetwork;
      if ((this.#places.get(holder) ?? 0) + places > mostOfHolder) throw tooManyWait(index === 1, mostOfHolder);
    }
    for (const holder of holders) this.#add(holder, places);
    try {
      return await this.#turns.run({ group: sender, user: sender }, work);
    } finally {
      for (const holder of holders) this.#add(holder, -places);
    }
  }

  #add(holder: string, places: number): void {
    if (holder.startsWith('sender')) this.#taken += places;
    const all = (this.#places.get(holder) ?? 0) + places;
    if (all === 0) this.#places.delete(holder);
    else this.#places.set(holder, all);
  }
}

function busy(): CodedError {
  return new CodedError('BUSY', 'Too many new documents wait to be checked; nothing was done.', { retryAfterMs });
}

function tooManyWait(ofNetwork: boolean, mostOfHolder: number): CodedError {
  return new CodedError(
    'RATE_LIMITED',
    `Too many new documents from ${ofNetwork ? 'your network' : 'you'} wait to be checked, and nothing was done. Send it again in ${retryAfterMs} ms.`,
    {
      limit: `new documents that wait, each counted once per ${placeLength / 1024} KiB`,
      most: mostOfHolder,
      retryAfterMs,
    },
  );
}
