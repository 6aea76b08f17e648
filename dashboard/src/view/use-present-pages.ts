// The pages to which the header links: one that not every deployment has is asked for first.
import { useEffect, useState } from 'react';
import { useDependencies } from '../context.ts';
import type { PageRow } from '../page.ts';

export function usePresentPages(): readonly PageRow[] {
  const { pages, requester } = useDependencies();
  const [present, setPresent] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    let isOver = false;
    for (const { name, isPresent } of pages)
      void isPresent?.(requester)
        // The request failed, for example because the network has just changed. The page itself shows the fault.
        .catch(() => true)
        .then((is) => {
          if (is && !isOver) setPresent((before) => new Set([...before, name]));
        });
    return () => {
      isOver = true;
    };
  }, [pages, requester]);
  return pages.filter(
    ({ name, isListed, isPresent }) => isListed !== false && (isPresent === undefined || present.has(name)),
  );
}
