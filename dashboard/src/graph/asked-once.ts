// What several parts of a page ask at its start, asked once: they share the answer for some seconds.
import type { Requester } from './request.ts';

const sharedMs = 10_000;

interface Asked<Answer> {
  readonly answer: Promise<Answer>;
  readonly atMs: number;
}

/** A failure is shared by those who wait for it, and not kept. */
export function askedOnce<Answer>(ask: (requester: Requester) => Promise<Answer>) {
  const known = new WeakMap<Requester, Asked<Answer>>();
  return (requester: Requester): Promise<Answer> => {
    const before = known.get(requester);
    if (before !== undefined && performance.now() - before.atMs < sharedMs) return before.answer;
    const answer = ask(requester);
    known.set(requester, { answer, atMs: performance.now() });
    answer.catch(() => known.delete(requester));
    return answer;
  };
}
