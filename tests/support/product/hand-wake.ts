// Wake-ups within a process, which a test loses and regains.
import { createLocalWake, type Wake } from '../../../platform/work/wake.ts';

export class HandWake implements Wake {
  readonly #wake = createLocalWake();
  readonly #topics = new Set<string>();
  isLive = true;

  notify(topic: string): void {
    this.#wake.notify(topic);
  }

  on(topic: string, listener: () => void): () => void {
    this.#topics.add(topic);
    return this.#wake.on(topic, listener);
  }

  lose(): void {
    this.#set(false);
  }

  regain(): void {
    this.#set(true);
  }

  close(): Promise<void> {
    return this.#wake.close();
  }

  #set(isLive: boolean): void {
    this.isLive = isLive;
    for (const topic of this.#topics) this.#wake.notify(topic);
  }
}
