// Searches while somebody types: all sources at once, each with its own answer.
import { useEffect, useState } from 'react';
import { useDependencies, useLiveState } from '../context.ts';
import { failureOf } from '../view/refusal.tsx';
import { usePresentPages } from '../view/use-present-pages.ts';
import { type Found, searchedText, sources } from './sources.ts';

interface Search {
  readonly found: readonly Found[];
  readonly isSearching: boolean;
  /** What could not be searched, and why. */
  readonly failures: readonly string[];
}

/** A name may be an address, too. */
function onceEach(found: readonly Found[]): readonly Found[] {
  return [...new Map(found.toReversed().map((each) => [each.id, each])).values()].toReversed();
}

const typingMs = 200;
const nothing: Search = { found: [], isSearching: false, failures: [] };

export function useSearchResults(typed: string): Search {
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const present = usePresentPages();
  const names = present.map(({ name }) => name).join(' ');
  const isAdmin = viewer?.admin === true;
  const text = searchedText(typed);
  const [search, setSearch] = useState(nothing);
  useEffect(() => {
    if (text === '') return setSearch(nothing);
    let isOver = false;
    const asked = sources.filter(({ page, forAdmins }) => names.split(' ').includes(page) && (isAdmin || !forAdmins));
    const answers = new Map<string, readonly Found[]>();
    const failures = new Map<string, string>();
    const show = (): void => {
      if (isOver) return;
      setSearch({
        found: onceEach(asked.flatMap(({ title }) => answers.get(title) ?? [])),
        failures: asked.flatMap(({ title }) => failures.get(title) ?? []),
        isSearching: answers.size + failures.size < asked.length,
      });
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
  return search;
}
