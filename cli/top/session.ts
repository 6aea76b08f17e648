// Runs `tidegate top`: keys, answers and events change the state, and after each change the screen shows it.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure, Interruption } from '../failures.ts';
import { coloured } from '../printer.ts';
import { followStatus, type StatusFilter } from '../status-stream.ts';
import { loaded, lost, refused, resized } from './changes.ts';
import { overviewTypes } from './overview.ts';
import { Pace } from './pace.ts';
import { press } from './press.ts';
import { isUnreachable, readView, type Source } from './read-view.ts';
import { render } from './render.ts';
import type { Screen } from './screen.ts';
import { firstState, pageSize, readKey, rowsToRead, type State, type View, viewOf } from './state.ts';

/** Minimum time between two reads of the same view, even if many events arrive. */
const leastMs = 1_000;
/** Interval for data without events. It grows while nothing changes (pace.ts). */
const againMs = 15_000;
/** Interval for a kind without events. */
const againWithoutEventsMs = 5_000;
/** Interval while there is no answer. */
const retryMs = 2_000;

interface Reading {
  readonly key: string;
  readonly ending: AbortController;
  readonly bell: Bell;
  /** Number of rows in the present or last read. */
  rows: number;
}

export class TopSession {
  readonly #source: Source;
  readonly #screen: Screen;
  readonly #paints: boolean;
  #state: State;
  #reading: Reading | undefined;
  #onEnd: () => void = () => undefined;

  constructor(source: Source, screen: Screen) {
    this.#source = source;
    this.#screen = screen;
    this.#paints = (source.env.NO_COLOR ?? '') === '';
    this.#state = firstState(screen.size, clocks());
  }

  /** Runs until its user quits, or a signal. Always restores the screen. */
  async run(): Promise<void> {
    const { signal } = this.#source;
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve;
    });
    const clock = setInterval(() => this.#apply((state) => state), 1_000);
    signal.addEventListener('abort', this.#onEnd, { once: true });
    try {
      this.#screen.take({
        key: (key) => this.#apply((state) => press(state, key, this.#source.topics)),
        resize: () => this.#apply((state) => resized(state, this.#screen.size)),
      });
      this.#apply((state) => state);
      if (!signal.aborted) await ended;
    } finally {
      clearInterval(clock);
      this.#reading?.ending.abort();
      this.#screen.giveBack();
    }
  }

  #apply(change: (state: State) => State): void {
    this.#state = change({ ...this.#state, ...clocks() });
    if (this.#state.ended) {
      this.#onEnd();
      return;
    }
    this.#readShown();
    const paint = this.#paints ? coloured : (text: string) => text;
    this.#screen.draw(render(this.#state, { paint, server: this.#source.client.url.host }));
  }

  /** Reads the shown data, and reads it again after its events. Abandons reads of an earlier view. */
  #readShown(): void {
    const view = viewOf(this.#state);
    const key = readKey(view, this.#state.columns);
    if (this.#reading?.key === key) {
      // Rows that become visible may be old.
      if (rowsToRead(view, this.#state) > this.#reading.rows) this.#reading.bell.ring();
      return;
    }
    this.#reading?.ending.abort();
    const ending = new AbortController();
    const bell = new Bell();
    const reading = { key, ending, bell, rows: pageSize };
    this.#reading = reading;
    const signal = AbortSignal.any([this.#source.signal, ending.signal]);
    void this.#readOn(view, reading, signal);
    void this.#listen(view, bell, signal);
  }

  async #readOn(view: View, reading: Reading, signal: AbortSignal): Promise<void> {
    const { key, bell } = reading;
    const pace = new Pace();
    while (!signal.aborted) {
      const startedMs = performance.now();
      let againAfterMs: number;
      reading.rows = rowsToRead(viewOf(this.#state), this.#state);
      try {
        const read = await readView(this.#source, view, { columns: this.#state.columns, rows: reading.rows });
        if (!signal.aborted) this.#apply((state) => loaded(state, key, read));
        againAfterMs = pace.next(read, bell.everyMs);
      } catch (error) {
        if (signal.aborted || error instanceof Interruption) return;
        if (!(error instanceof CommandFailure)) throw error;
        againAfterMs = retryMs;
        const { message } = error;
        this.#apply((state) => (isUnreachable(error) ? lost(state) : refused(state, key, message)));
      }
      await bell.rings(againAfterMs, signal);
      await sleep(Math.max(0, leastMs - (performance.now() - startedMs)), undefined, { signal }).catch(() => undefined);
    }
  }

  async #listen(view: View, bell: Bell, signal: AbortSignal): Promise<void> {
    const { client, topics } = this.#source;
    const onLost = () => {
      this.#apply(lost);
      // Reads until there is an answer again.
      bell.ring();
    };
    // The changed data is read anyway.
    const onMissed = () => bell.ring();
    const filters = [...filtersOf(view, topics)];
    while (!signal.aborted) {
      const [filter] = filters;
      if (filter === undefined) {
        bell.everyMs = againWithoutEventsMs;
        return bell.ring();
      }
      try {
        for await (const { change } of followStatus({ client, after: undefined, filter, signal, onLost, onMissed }))
          if (change !== null) bell.ring();
      } catch (error) {
        if (!(error instanceof CommandFailure)) throw error;
        if (isUnreachable(error)) onLost();
        // The read reports the error. The list is polled anyway.
        else filters.shift();
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Events that trigger a new read of a view: the first filter that the server accepts. A kind may have no events. */
function filtersOf(view: View, topics: Source['topics']): readonly StatusFilter[] {
  // A deployment may lack some of them.
  if (view.kind === 'overview') return [{ subjectTypes: overviewTypes }, {}];
  if (view.kind === 'text') return view.aspect === 'help' || view.of.id === null ? [] : [{ subjectId: view.of.id }];
  const topic = topics.find(({ noun }) => noun === view.noun);
  if (topic === undefined) return [];
  return topic.noun === 'events' ? [{}] : [{ subjectTypes: [topic.type] }];
}

function clocks(): Pick<State, 'nowMs' | 'clockMs'> {
  return { nowMs: Date.now(), clockMs: performance.now() };
}

/** Rings once for all events since the last wait. */
class Bell {
  /** Interval of reads without a ring. */
  everyMs = againMs;
  #rung = false;
  #onRing: () => void = () => undefined;

  ring(): void {
    this.#rung = true;
    this.#onRing();
  }

  async rings(withinMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung) {
      const heard = new Promise<void>((resolve) => {
        this.#onRing = resolve;
      });
      const over = new AbortController();
      const late = sleep(withinMs, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(
        () => undefined,
      );
      await Promise.race([heard, late]);
      over.abort();
    }
    this.#rung = false;
  }
}
