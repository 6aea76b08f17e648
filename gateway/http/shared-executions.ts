// Identical queries in one turn of the event loop are executed once, and their answer is serialised once. An execution begins at the turn's end, and
// is never joined after that, because its reads may precede a write that was acknowledged in the meantime (decisions 0281 and 0320).
import { turnEnd } from '../../platform/work/turn-end.ts';
import type { Executor, GatewayOperation } from '../supergraph/executor.ts';
import { visibleOf } from '../supergraph/visible-caller.ts';
import { Outcome } from './answer-parts.ts';

interface WaitingExecution {
  readonly signals: (AbortSignal | undefined)[];
  readonly outcome: Promise<Outcome>;
}

export class SharedExecutions {
  readonly #executor: Pick<Executor, 'execute'>;
  readonly #waiting = new Map<string, WaitingExecution>();

  constructor(executor: Pick<Executor, 'execute'>) {
    this.#executor = executor;
  }

  /** `query`: must have no effects. */
  execute(query: GatewayOperation): Promise<Outcome> {
    const { key, variables, context } = query;
    const id = `${visibleOf(context)}${key} ${JSON.stringify(variables)}`;
    const known = this.#waiting.get(id);
    if (known !== undefined) {
      known.signals.push(context.signal);
      return known.outcome;
    }
    const signals = [context.signal];
    const outcome = turnEnd().then(() => {
      this.#waiting.delete(id);
      return this.#begin(query, signals);
    });
    this.#waiting.set(id, { signals, outcome });
    return outcome;
  }

  async #begin(query: GatewayOperation, signals: readonly (AbortSignal | undefined)[]): Promise<Outcome> {
    if (signals.length === 1) return new Outcome(await this.#executor.execute(query));
    const { signal: _own, ...context } = query.context;
    const signal = whenAllAre(signals);
    const shared = { ...query, context: signal === undefined ? context : { ...context, signal } };
    return new Outcome(await this.#executor.execute(shared));
  }
}

/** Aborts when all of them have aborted. Undefined if one never does. */
function whenAllAre(signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const all = new AbortController();
  let left = signals.length;
  const gone = (signal: AbortSignal) => {
    left -= 1;
    if (left === 0) all.abort(signal.reason);
  };
  for (const signal of signals) {
    if (signal === undefined) return undefined;
    if (signal.aborted) gone(signal);
    else signal.addEventListener('abort', () => gone(signal), { once: true });
  }
  return all.signal;
}
