// Keeps the published operations of this gateway like those of the system subgraph: reads them before the gateway is ready, and polls for changes
// each second. While the subgraph is lost, the last ones stay.
import { parse } from 'graphql';
import { z } from 'zod';
import { gatewayIdentity } from '../../platform/graph/service-identity.ts';
import type { Logger } from '../../platform/log/log.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { Loop } from '../../platform/work/loop.ts';
import { atMost } from '../../platform/work/within.ts';
import type { SubgraphLink } from '../supergraph/subgraph-link.ts';
import type { PublishedOperations } from './published-operations.ts';

/** A field of the subgraph that is hidden from clients. */
export const publishedSetField = 'publishedOperationSet';

interface PublishedReaderOptions {
  /** Link to the subgraph with `publishedSetField`. */
  readonly link: Pick<SubgraphLink, 'execute'>;
  readonly published: PublishedOperations;
  /** Called for each new one. Should not throw. */
  readonly prepare: (hash: string, text: string) => Promise<void>;
  readonly log: Logger;
}

const everyMs = 1_000;
/** Interval while the subgraph is lost. */
const whileLostMs = 2_000;
const deadlineMs = 10_000;
/** Time that the start of the gateway waits. */
const startMs = 10_000;
const textsAtOnce = 100;

const revisionText = `query GatewayPublishedRevision { ${publishedSetField} { revision } }`;
const hashesText = `query GatewayPublishedHashes { ${publishedSetField} { hashes } }`;
const textsText = `query GatewayPublishedTexts($hashes: [String!]!) { ${publishedSetField} { operations(hashes: $hashes) { hash text } } }`;

const revisionShape = z.object({ revision: z.string() });
const hashesShape = z.object({ hashes: z.array(z.string()) });
const textsShape = z.object({ operations: z.array(z.object({ hash: z.string(), text: z.string() })) });

export class PublishedReader {
  readonly #options: PublishedReaderOptions;
  readonly #loop: Loop;
  #revision: string | undefined;
  #isLost = false;
  #preparing: Promise<void> = Promise.resolve();
  #firstRead: () => void = () => {};

  constructor(options: PublishedReaderOptions) {
    this.#options = options;
    this.#loop = new Loop({
      name: 'published operations',
      log: options.log,
      pauseMs: () => (this.#isLost ? whileLostMs : everyMs),
      run: (signal) => this.#run(signal),
    });
  }

  /** Resolves when they are read and prepared, or after ten seconds. The rest continues in the background. */
  async start(): Promise<void> {
    const read = new Promise<void>((resolve) => {
      this.#firstRead = resolve;
    });
    this.#loop.start();
    await atMost(
      startMs,
      read.then(() => this.#preparing),
    );
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#preparing;
  }

  async #run(signal: AbortSignal): Promise<boolean> {
    const { log } = this.#options;
    try {
      await this.#follow(signal);
      if (this.#isLost) log.info('the published operations are read again');
      this.#isLost = false;
    } catch (error) {
      if (!this.#isLost && !signal.aborted)
        log.warn({ reason: String(error) }, "the published operations can't be read; the last known ones stay");
      this.#isLost = true;
    }
    this.#firstRead();
    return false;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { published } = this.#options;
    // The revision comes first: a change during the following reads gets another revision.
    const answer = await this.#ask(revisionText, {}, signal);
    if (answer === undefined) {
      published.replace(new Map());
      this.#revision = undefined;
      return;
    }
    const { revision } = revisionShape.parse(answer);
    if (revision === this.#revision) return;
    const { hashes } = hashesShape.parse(await this.#ask(hashesText, {}, signal));
    const texts = new Map<string, string>();
    const missing: string[] = [];
    for (const hash of hashes) {
      const text = published.texts().get(hash);
      if (text === undefined) missing.push(hash);
      else texts.set(hash, text);
    }
    for (let from = 0; from < missing.length; from += textsAtOnce) {
      const asked = { hashes: missing.slice(from, from + textsAtOnce) };
      const { operations } = textsShape.parse(await this.#ask(textsText, asked, signal));
      for (const { hash, text } of operations) texts.set(hash, text);
    }
    const added = published.replace(texts);
    this.#revision = revision;
    // Runs concurrently, so that removals are noticed in time.
    this.#preparing = this.#preparing.then(() => this.#prepare(added, signal));
  }

  async #prepare(added: readonly (readonly [hash: string, text: string])[], signal: AbortSignal): Promise<void> {
    const { published, prepare } = this.#options;
    for (const [hash, text] of added) {
      if (signal.aborted) return;
      if (published.has(hash)) await prepare(hash, text);
    }
  }

  /** Undefined from a subgraph whose version has no published operations, because it omits the field. */
  async #ask(text: string, variables: Readonly<Record<string, unknown>>, stopped: AbortSignal): Promise<unknown> {
    const { data, errors } = await this.#options.link.execute({
      ...{ text, variables, document: parse(text, { noLocation: true }), operationName: undefined },
      context: {
        identity: gatewayIdentity,
        requestId: newUuid(),
        loaders: new Map(),
        signal: AbortSignal.any([stopped, AbortSignal.timeout(deadlineMs)]),
      },
    });
    if (data != null && errors === undefined && !Object.hasOwn(data, publishedSetField)) return undefined;
    const found = data?.[publishedSetField];
    if (found == null) throw new Error(errors?.[0]?.message ?? 'the answer is empty');
    return found;
  }
}
