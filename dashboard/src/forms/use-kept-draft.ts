// Keeps the input of a form when the login ends. The same user finds it again in the same form.
import { useEffect, useRef, useState } from 'react';
import { useDependencies, useLiveState } from '../context.ts';
import type { DraftObject } from './draft.ts';
import { dropDraft, type KeptDraft, keepDraft, keptDraft } from './kept-draft.ts';

interface Form {
  /** The action's input type, which shows which fields are secrets. */
  readonly input: string;
  /** Distinguishes several forms at one address. */
  readonly verb: string;
}

interface Entered extends KeptDraft {
  /** Nothing was entered, or it was sent. */
  readonly isEmpty: boolean;
}

/** The draft that was kept when this user's login ended in this form. Undefined if there is none. Does not change while the form is open. */
export function useKept({ verb }: Pick<Form, 'verb'>): KeptDraft | undefined {
  const user = useLiveState().viewer?.name;
  const [place] = useState(() => placeOf(verb));
  const [kept] = useState(() => (user === undefined ? undefined : keptDraft(window.sessionStorage, user, place)));
  useEffect(() => {
    if (user !== undefined) dropDraft(window.sessionStorage, user, place);
  }, [user, place]);
  return kept;
}

/** Keeps what is entered when the login ends. */
export function useKeeping({ input, verb }: Form, entered: Entered): void {
  const { session } = useDependencies();
  const user = useLiveState().viewer?.name;
  const [place] = useState(() => placeOf(verb));
  const latest = useRef({ entered, user });
  useEffect(() => {
    latest.current = { entered, user };
  });
  useEffect(
    () => () => {
      const { entered: last, user: of } = latest.current;
      if (session.status !== 'ended' || of === undefined || last.isEmpty) return;
      const before = last.before === undefined ? {} : { before: last.before };
      keepDraft(window.sessionStorage, of, place, { input, draft: last.draft, ...before });
    },
    [session, place, input],
  );
}

export function isSameDraft(one: DraftObject, other: DraftObject): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The address may be another one by the time that the form is left. */
function placeOf(verb: string): string {
  return `${window.location.pathname}${window.location.search} ${verb}`;
}
