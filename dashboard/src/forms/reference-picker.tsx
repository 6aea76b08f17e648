// Finds an object by its name. The server searches for the typed text, so no list is read whole. Parts are picked within their parent.
import { type KeyboardEvent as ReactKeyboardEvent, useEffect, useState } from 'react';
import type { JsonObject } from '../../../platform/values/json.ts';
import type { Kind } from '../../../schema/kinds/kind.ts';
import { wordsOf } from '../../../schema/kinds/words.ts';
import { useDependencies } from '../context.ts';
import { keepTrying } from '../graph/keep-trying.ts';
import type { Requester } from '../graph/request.ts';
import { nameDocument, type PickedPage, pickDocument, pickPartDocument, textFilter } from './documents.ts';
import { noObject } from './draft.ts';
import type { ValueInputProps } from './field-props.ts';
import { useForm } from './form-context.ts';
import { kindNamed, nameIn } from './names.ts';

interface Found {
  readonly id: string;
  readonly name: string;
}

const [mostFound, mostParts, pauseMs] = [12, 100, 200];

async function search(requester: Requester, kind: Kind, text: string, parentId: string | undefined): Promise<Found[]> {
  let nodes: readonly JsonObject[];
  if (kind.list !== undefined) {
    const filter = textFilter(kind);
    const asked = filter === undefined || text === '' ? {} : { [filter]: text };
    nodes = (await requester.request(pickDocument(kind), { first: mostFound, ...asked })).found.nodes;
  } else {
    if (parentId === undefined) return [];
    const pages = kind.parent?.has === 'pages' ? { first: mostParts } : {};
    const { of } = await requester.request(pickPartDocument(kind), { id: parentId, ...pages });
    const found = of?.found ?? [];
    nodes = Array.isArray(found)
      ? (found as readonly JsonObject[])
      : ((found as PickedPage).nodes ?? [found as JsonObject]);
  }
  const named = nodes.map((each) => ({ id: String(each.id), name: nameIn(kind, each) }));
  return kind.list === undefined ? named.filter(({ name }) => name.includes(text)).slice(0, mostFound) : named;
}

interface ReferencePickerProps extends ValueInputProps {
  readonly kind: Kind;
}

export function ReferencePicker(props: ReferencePickerProps) {
  const { kind, id, value, onChange } = props;
  const { names } = useForm();
  useName(kind, value);
  if (value !== '')
    return (
      <span className="picked">
        <span className="name">{names.get(value) ?? value}</span>
        <button
          type="button"
          id={id}
          className="quiet"
          aria-label={`Change the ${wordsOf(kind)}`}
          onClick={() => onChange('')}
        >
          Change
        </button>
      </span>
    );
  return <Search {...props} />;
}

/** The name of an id that the address has. */
function useName(kind: Kind, id: string): void {
  const { requester } = useDependencies();
  const { names, onNamed } = useForm();
  const isKnown = id === '' || names.has(id);
  useEffect(() => {
    if (isKnown || !kind.node) return;
    const left = new AbortController();
    keepTrying(() => requester.request(nameDocument(kind), { id }), left.signal).then(
      ({ found }) => found !== null && onNamed(id, nameIn(kind, found)),
      () => undefined,
    );
    return () => left.abort();
  }, [kind, id, isKnown, requester, onNamed]);
}

function Search({ kind, field, id, label, describedBy, isInvalid, onChange }: ReferencePickerProps) {
  const { places, none, onNamed } = useForm();
  const [within, setWithin] = useState('');
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const { parent } = kind;
  const parentKind = kind.list === undefined && parent !== undefined ? kindNamed(parent.kind) : undefined;
  const parentId = parentKind === undefined ? undefined : (places[parentKind.type] ?? (within || undefined));
  const objects = useFound(kind, isOpen ? text : undefined, parentId);
  const noneWords = none[field.name];
  const isNoneFound = isOpen && noneWords?.includes(text.trim().toLowerCase()) === true;
  const found = isNoneFound ? [{ id: noObject, name: noneWords }, ...objects] : objects;
  const take = (one: Found | undefined): void => {
    if (one === undefined) return;
    onNamed(one.id, one.name);
    onChange(one.id);
  };
  const onKeyDown = (event: ReactKeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter' && isOpen) take(found[active]);
    else if (event.key === 'Escape' && isOpen) setOpen(false);
    else if (step !== undefined) {
      setOpen(true);
      setActive((active + step + found.length) % Math.max(1, found.length));
    } else return;
    event.preventDefault();
  };
  if (parentKind !== undefined && parentId === undefined)
    return (
      <Search
        {...{ kind: parentKind, field, id, describedBy, isInvalid, value: within, onChange: setWithin }}
        label={`${wordsOf(parentKind)} of the ${wordsOf(kind)}`}
      />
    );
  const listId = `${id}-list`;
  return (
    <div className="picker">
      <input
        id={id}
        type="search"
        role="combobox"
        aria-label={label}
        aria-describedby={describedBy}
        aria-invalid={isInvalid}
        aria-expanded={isOpen}
        aria-controls={listId}
        aria-activedescendant={isOpen && found[active] !== undefined ? `${listId}-${active}` : undefined}
        aria-autocomplete="list"
        autoComplete="off"
        maxLength={200}
        placeholder={`Find a ${wordsOf(kind)}…`}
        value={text}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onChange={({ target }) => {
          setText(target.value);
          setActive(0);
          setOpen(true);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={listId} role="listbox" aria-label={wordsOf(kind)} hidden={!isOpen}>
        {found.map((each, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above.
          <div
            key={each.id}
            id={`${listId}-${at}`}
            role="option"
            aria-selected={at === active}
            tabIndex={-1}
            // The field keeps the focus until one is taken.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(each)}
          >
            {each.name}
          </div>
        ))}
      </div>
    </div>
  );
}

interface Answer {
  readonly kind: Kind;
  readonly text: string;
  readonly parentId: string | undefined;
  readonly nodes: readonly Found[];
}

/** `text` undefined: nothing is looked for. */
function useFound(kind: Kind, text: string | undefined, parentId: string | undefined): readonly Found[] {
  const { requester } = useDependencies();
  const [answer, setAnswer] = useState<Answer>();
  useEffect(() => {
    if (text === undefined) return;
    const left = new AbortController();
    const timer = setTimeout(() => {
      keepTrying(() => search(requester, kind, text.trim(), parentId), left.signal).then(
        (nodes) => left.signal.aborted || setAnswer({ kind, text, parentId, nodes }),
        () => undefined,
      );
    }, pauseMs);
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [requester, kind, text, parentId]);
  if (text === undefined || answer === undefined || answer.kind !== kind || answer.parentId !== parentId) return [];
  if (answer.text === text) return answer.nodes;
  // The answer may belong to an earlier text. Enter must not take an object that does not match the present text.
  return answer.nodes.filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()));
}
