// Searches every answer for forbidden content.
import type { Caller, Exchange, GraphAnswer } from './caller.ts';
import type { Attack } from './http-attacks.ts';
import type { World } from './world.ts';

type Fault = 'leak' | 'internal' | 'crash' | 'slowRefusal' | 'ordinaryFailed';

const mostFindings = 20;
const excerptCharacters = 300;
const bugCodes = new Set(['INTERNAL', 'INTERNAL_SERVER_ERROR']);

export class Judge {
  readonly #secret: RegExp;
  readonly #alphas: readonly RegExp[];
  readonly counts: Record<Fault, number> = { leak: 0, internal: 0, crash: 0, slowRefusal: 0, ordinaryFailed: 0 };
  readonly findings: string[] = [];
  /** Checked answers, and the refusals among them. */
  read = 0;
  refused = 0;
  /** Counted by code, to show that a single limit did not stop every attack. */
  readonly codes: Record<string, number> = {};

  constructor(world: Pick<World, 'mark' | 'secretMark' | 'hiddenIds'>) {
    this.#secret = new RegExp(world.secretMark);
    // An id may be the beginning of another.
    const ids = world.hiddenIds.map((id) => `${id}(?![\\w-])`);
    this.#alphas = [world.mark, ...ids].map((text) => new RegExp(text));
  }

  found(fault: Fault, what: string): void {
    this.counts[fault] += 1;
    if (this.findings.length < mostFindings) this.findings.push(`${fault}: ${what.slice(0, 2 * excerptCharacters)}`);
  }

  see(caller: Caller, attack: Pick<Attack, 'kind' | 'grantsNothing'>, { asked, answered, answers }: Exchange): void {
    this.read += 1;
    if (!answers.some(isGranted)) this.refused += 1;
    const hidden = caller.seesAlpha ? [this.#secret] : [this.#secret, ...this.#alphas];
    const leaked = hidden.find((text) => text.test(answered) && !text.test(asked))?.exec(answered);
    if (leaked != null) this.found('leak', `${caller.name}, ${attack.kind}: ${around(answered, leaked)}`);
    if (attack.grantsNothing === true && answers.some(isGranted))
      this.found('leak', `${caller.name}, ${attack.kind}: ${excerpt(answered)}`);
    for (const code of answers.flatMap(codesOf)) {
      this.codes[code] = (this.codes[code] ?? 0) + 1;
      if (bugCodes.has(code)) this.found('internal', `${attack.kind}: ${excerpt(asked)} -> ${excerpt(answered)}`);
    }
  }
}

/** Codes of errors and of refused mutations. */
export function codesOf({ data, errors }: GraphAnswer): readonly string[] {
  const refusals = Object.values(data ?? {}).flatMap((field) => userErrorsOf(field).map(({ code }) => code));
  const top = Array.isArray(errors) ? errors.map((error) => error.extensions?.code ?? 'NONE') : [];
  return [...top, ...refusals];
}

/** Data other than nulls, names of types, and refusals. */
function isGranted({ data }: GraphAnswer): boolean {
  return Object.entries(data ?? {}).some(
    ([name, field]) => name !== '__typename' && field !== null && userErrorsOf(field).length === 0,
  );
}

function userErrorsOf(field: unknown): readonly { readonly code: string }[] {
  const { userErrors } = (field ?? {}) as { readonly userErrors?: unknown };
  return Array.isArray(userErrors) ? userErrors : [];
}

function around(text: string, { 0: found, index }: RegExpExecArray): string {
  return `${found} in ${text.slice(Math.max(index - excerptCharacters / 2, 0), index + excerptCharacters / 2)}`;
}

function excerpt(text: string): string {
  return text.length <= excerptCharacters ? text : `${text.slice(0, excerptCharacters)}…`;
}
