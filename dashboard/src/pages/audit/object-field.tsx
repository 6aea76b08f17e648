// The filter by an object: its name is completed while it is typed, also of an object that is gone, and an id is taken as it is.
import { useEffect, useId, useRef, useState } from 'react';
import { AuditNamedDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { useSearchResults } from '../../search/use-search.ts';
import { useSettled } from '../../view/use-settled.ts';
import { objectWords } from './audit-words.ts';

interface ObjectFieldProps {
  readonly subjectId: string;
  /** Of the object with this id. Undefined if it is not known. */
  readonly name: string | undefined;
  readonly onChange: (subjectId: string) => void;
}

interface Choice {
  readonly id: string;
  readonly name: string;
  /** With its type, so that two of one name differ. */
  readonly label: string;
}

/** A global id: base64url of a type and a key. */
const idPattern = /^[\w-]{24,1024}={0,2}$/;

export function ObjectField({ subjectId, name, onChange }: ObjectFieldProps) {
  const listId = useId();
  const [typed, setTyped] = useState<string>();
  const choices = useChoices(typed ?? '');
  const chosen = typed === undefined ? undefined : idOf(typed, choices);
  const told = useRef(subjectId);
  useEffect(() => {
    if (chosen === undefined || chosen === told.current) return;
    told.current = chosen;
    onChange(chosen);
  }, [chosen, onChange]);
  // Another one came from elsewhere: an entry's own link, or the button that clears all filters.
  useEffect(() => {
    if (subjectId === told.current) return;
    told.current = subjectId;
    setTyped(undefined);
  }, [subjectId]);
  return (
    <label>
      Object
      <input
        name="subject"
        list={listId}
        value={typed ?? name ?? subjectId}
        maxLength={1_024}
        placeholder="name or ID"
        autoComplete="off"
        onChange={({ target }) => setTyped(target.value)}
        // What was left half typed is no filter.
        onBlur={() => chosen === undefined && setTyped(undefined)}
      />
      <datalist id={listId}>
        {choices.map(({ id, label }) => (
          <option key={id} value={label} />
        ))}
      </datalist>
    </label>
  );
}

/** Undefined while the text is of no object, or of several. */
function idOf(typed: string, choices: readonly Choice[]): string | undefined {
  const text = typed.trim();
  if (text === '') return '';
  const named = choices.filter(({ label, name }) => label === text || name === text);
  const [only] = named;
  if (only !== undefined) return named.length === 1 ? only.id : undefined;
  return idPattern.test(text) ? text : undefined;
}

function useChoices(typed: string): readonly Choice[] {
  const { found } = useSearchResults(typed);
  const gone = useRecorded(useSettled(typed).trim());
  const all = found.flatMap(({ id, label, what }): Choice[] => {
    const [, global] = id.split(' ');
    return global === undefined ? [] : [{ id: global, name: label, label: `${label} (${what.split(' · ')[0]})` }];
  });
  return [...new Map([...gone, ...all].map((each) => [each.id, each])).values()];
}

/** Objects whose settings were recorded under this name. */
function useRecorded(name: string): readonly Choice[] {
  const { requester } = useDependencies();
  const [recorded, setRecorded] = useState<{ readonly of: string; readonly choices: readonly Choice[] }>();
  useEffect(() => {
    if (name === '' || name.length > 255) return;
    let isOver = false;
    requester.request(AuditNamedDocument, { name }).then(
      ({ configurationVersions: { nodes } }) => {
        const choices = nodes.map(({ subjectId, subjectType, subjectName, deleted }) => ({
          ...{ id: subjectId, name: subjectName },
          label: `${subjectName} (${objectWords(subjectType, null, deleted)})`,
        }));
        if (!isOver) setRecorded({ of: name, choices });
      },
      // The names of what exists are still found.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [requester, name]);
  return recorded?.of === name ? recorded.choices : [];
}
