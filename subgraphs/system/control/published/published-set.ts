// The published operations for gateways: the revision first, then the operations that they lack.
import { CodedError } from '../../../../platform/errors/errors.ts';
import type { PublishedOperation } from '../stores/published-operation.ts';
import type { PublishedOperationStore } from '../stores/published-operation-store.ts';

const mostAtOnce = 100;

export class PublishedSet {
  readonly #published: PublishedOperationStore;

  constructor(published: PublishedOperationStore) {
    this.#published = published;
  }

  revision(): Promise<string> {
    return this.#published.revision();
  }

  hashes(): Promise<readonly string[]> {
    return this.#published.hashes();
  }

  async operations({ hashes }: { readonly hashes: readonly string[] }): Promise<readonly PublishedOperation[]> {
    if (hashes.length > mostAtOnce)
      throw new CodedError('INVALID_INPUT', `hashes: ${hashes.length} are too many; give at most ${mostAtOnce}.`);
    return [...(await this.#published.byHashes(hashes)).values()];
  }
}
