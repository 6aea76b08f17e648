// Handmade and random histories of one name.
import type { Entry, Step } from '../../../trials/objects/history.ts';
import { applyStep } from '../../../trials/objects-model/history.ts';
import type { Random } from '../../../trials/random.ts';

export const never = Number.POSITIVE_INFINITY;
export const at = (called: number, answered: number, step: Step): Entry => ({ called, answered, step });
export const put = (value: string): Step => ({ kind: 'put', value });
export const read = (got?: string): Step => ({ kind: 'read', got });

/** Concurrent calls of several clients to a register. Some calls get no answer, and some of those never take effect. */
export function randomHistory(random: Random, size: { readonly clients: number; readonly steps: number }): Entry[] {
  let state = '';
  let now = 0;
  const values: string[] = [];
  const free = Array.from({ length: size.clients }, () => 0);
  const planned = Array.from({ length: size.steps }, () => {
    const client = free.indexOf(Math.min(...free));
    const called = (free[client] ?? 0) + random.next() * 3;
    const happens = called + random.next() * 5;
    const answered = happens + random.next() * 5;
    const lost = random.next() < 0.15;
    free[client] = answered;
    return { called, happens: lost ? happens + random.next() * 20 : happens, answered: lost ? never : answered, lost };
  });
  const history: Entry[] = [];
  for (const { called, happens, answered, lost } of planned.toSorted((a, b) => a.happens - b.happens)) {
    const step = randomStep(random, values, state, `v${now}`);
    now += 1;
    // A read without an answer proves nothing.
    if (lost && step.kind === 'read') continue;
    const never = lost && random.next() < 0.5;
    const open = lost && 'did' in step ? { ...step, did: undefined } : step;
    if (!never) state = applyStep(state, step) ?? state;
    history.push({ called, answered, step: open });
    void happens;
  }
  return history;
}

function randomStep(random: Random, values: string[], state: string, value: string): Step {
  const kind = random.pick(['put', 'delete', 'read', 'read', 'create', 'replace'] as const);
  if (kind === 'delete') return { kind };
  if (kind === 'read') return { kind, got: state === '' ? undefined : state };
  values.push(value);
  if (kind === 'put') return { kind, value };
  if (kind === 'create') return { kind, value, did: state === '' };
  const of = random.next() < 0.5 && state !== '' ? state : random.pick(values);
  return { kind, value, of, did: state === of };
}
