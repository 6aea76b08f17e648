// Searches while somebody types: all sources at once, each with its own answer.
import { useEffect, useState } from 'react';
import { useDependencies, useLiveState } from '../context.ts';
import { containsWords } from '../filters/filters.ts';
import { failureOf } from '../view/refusal.tsx';
import { usePresentPages } from '../view/use-present-pages.ts';
import { type Found, searchedText, sources } from './sources.ts';

interface Search {
  readonly found: readonly Found[];
  readonly isSearching: boolean;
  /** Sources that failed, with the reasons. */
  readonly failures: readonly string[];
}

/** A name may be an address, too. */
function onceEach(found: readonly Found[]): readonly Found[] {
  return [...new Map(found.toReversed().map((each) => [each.id, each])).values()].toReversed();
}

const typingMs = 200;
const nothing: Search = { found: [], isSearching: false, failures: [] };

/** Until the first answer to a new text, only earlier results that contain it can be chosen. */
function narrowed({ found }: Search, text: string): Search {
  return {
    found: found.filter(({ label, what }) => containsWords(text, [label, what])),
    isSearching: true,
    failures: [],
  };
}

export function useSearchResults(typed: string): Search {
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const present = usePresentPages();
  const names = present.map(({ name }) => name).join(' ');
  const isAdmin = viewer?.admin === true;
  const text = searchedText(typed);
  const [{ of, search }, setSearch] = useState({ of: '', search: nothing });
  useEffect(() => {
    if (text === '') return setSearch({ of: '', search: nothing });
    let isOver = false;
    const asked = sources.filter(({ page, forAdmins }) => names.split(' ').includes(page) && (isAdmin || !forAdmins));
    const answers = new Map<string, readonly Found[]>();
    const failures = new Map<string, string>();
    const show = (): void => {
      if (isOver) return;
      const search = {
        found: onceEach(asked.flatMap(({ title }) => answers.get(title) ?? [])),
        failures: asked.flatMap(({ title }) => failures.get(title) ?? []),
        isSearching: answers.size + failures.size < asked.length,
      };
      setSearch({ of: text, search });
    };
    const timer = setTimeout(() => {
      for (const source of asked)
        void source.search(requester, text).then(
          (found) => {
            answers.set(source.title, found);
            show();
          },
          (error: unknown) => {
            failures.set(source.title, `${source.title} could not be searched: ${failureOf(error).message}`);
            show();
          },
        );
      show();
    }, typingMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [requester, text, names, isAdmin]);
  if (text === '') return nothing;
  return of === text ? search : narrowed(search, text);
}
