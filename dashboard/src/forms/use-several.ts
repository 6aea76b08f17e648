// Which fields a person must choose because there are several objects to choose from, such as flavors. Where there is one, the server takes it.
import { useEffect, useState } from 'react';
import type { Action } from '../../../schema/kinds/kind.ts';
import { useDependencies } from '../context.ts';
import { keepTrying } from '../graph/keep-trying.ts';
import { pickDocument } from './documents.ts';
import { formFields, type Needed } from './draft.ts';
import { layoutOf } from './layout/arrange.ts';
import { kindNamed } from './names.ts';

const none: Needed = {};

export function useSeveral(action: Action): Needed {
  const { requester } = useDependencies();
  const [needed, setNeeded] = useState<Needed>(none);
  useEffect(() => {
    const left = new AbortController();
    for (const { name, refersTo = '', description } of formFields(action.input)) {
      const kind = kindNamed(refersTo);
      if (kind?.list === undefined || layoutOf(action.input)?.ifSeveral?.includes(name) !== true) continue;
      keepTrying(() => requester.request(pickDocument(kind), { first: 2 }), left.signal).then(
        ({ found }) => {
          if (left.signal.aborted || found.nodes.length < 2) return;
          setNeeded((known) => ({ ...known, [name]: description }));
        },
        () => undefined,
      );
    }
    return () => left.abort();
  }, [action, requester]);
  return needed;
}
