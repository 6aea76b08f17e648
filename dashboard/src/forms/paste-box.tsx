// Several parts at once, a line for each. While a line is wrong nothing is added, and the form can't be sent.
import { useMemo, useState } from 'react';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { type Draft, draftAt, isDraftObject, linesOf, readDraftOf } from './draft.ts';
import { faultsAt } from './faults.ts';
import { type FieldProps, wordOf } from './field-parts.tsx';
import { useForm } from './form-context.ts';
import { lineWords, type ReadLines, readLines } from './lines.ts';

interface Paste {
  readonly text: string;
  readonly read: ReadLines;
  readonly isOpen: boolean;
  open(): void;
  close(): void;
  type(text: string): void;
  /** The lines become parts. */
  add(): void;
  /** Takes text that was pasted into a row: adds its parts, or shows the faults of its lines. */
  take(text: string): void;
}

export function usePaste(field: InputField, path: readonly string[], onChange: FieldProps['onChange']): Paste {
  const { draft } = useForm();
  const [isOpened, setOpened] = useState(false);
  const parentPath = path.slice(0, -1);
  const found = draftAt(draft, parentPath);
  const parent = isDraftObject(found) ? found : {};
  const key = linesOf(field.name);
  const list = parent[field.name];
  const items = Array.isArray(list) ? (list as readonly Draft[]) : [];
  const text = typeof parent[key] === 'string' ? parent[key] : '';
  const kept = items.filter((item) => !isDraftObject(item) || Object.keys(item).length > 0);
  const read = useMemo(() => readLines(field, text, kept.length, readDraftOf), [field, text, kept.length]);
  const change = (next: readonly Draft[], lines: string | undefined): void =>
    onChange(parentPath, { ...parent, [field.name]: next, [key]: lines });
  return {
    ...{ text, read, isOpen: isOpened || text !== '' },
    open: () => setOpened(true),
    close() {
      setOpened(false);
      change(items, undefined);
    },
    type: (next) => change(items, next === '' ? undefined : next),
    add() {
      setOpened(false);
      change([...kept, ...read.items], undefined);
    },
    take(pasted) {
      const lines = readLines(field, pasted, kept.length, readDraftOf);
      if (lines.faults.length > 0) change(items, pasted);
      else change([...kept, ...lines.items], undefined);
    },
  };
}

const mostShown = 20;

interface PasteBoxProps {
  readonly field: InputField;
  readonly path: readonly string[];
  readonly paste: Paste;
}

export function PasteBox({ field, path, paste }: PasteBoxProps) {
  const { faults, prefix } = useForm();
  if (!paste.isOpen) return null;
  const { text, read } = paste;
  const id = `${prefix}-${path.join('-')}-lines`;
  const sent = faultsAt(faults, [...path, linesOf('')], true);
  const isWrong = read.faults.length > 0;
  const word = wordOf(field);
  const further = read.faults.length - mostShown;
  return (
    <div className="paste-box">
      <label htmlFor={id}>Lines of {lineWords(field.type)}</label>
      <textarea
        id={id}
        className="mono"
        rows={6}
        maxLength={200_000}
        spellCheck={false}
        autoComplete="off"
        aria-describedby={`${id}-fault`}
        aria-invalid={isWrong || sent.length > 0}
        value={text}
        onChange={({ target }) => paste.type(target.value)}
      />
      <div id={`${id}-fault`} role="status">
        {isWrong && (
          <>
            <p className="fault">
              {read.faults.length} {read.faults.length === 1 ? 'line is' : 'lines are'} wrong, so none is added.
            </p>
            <ul className="line-faults">
              {read.faults.slice(0, mostShown).map(({ line, message }) => (
                <li key={line}>
                  Line {line}: {message}
                </li>
              ))}
              {further > 0 && <li>{further} more</li>}
            </ul>
          </>
        )}
        {!isWrong && sent.length > 0 && <p className="fault">{sent.join(' ')}</p>}
      </div>
      <div className="part-actions">
        <button type="button" disabled={isWrong || read.items.length === 0} onClick={paste.add}>
          Add {read.items.length === 1 ? `1 ${word}` : `${read.items.length} ${word}s`}
        </button>
        <button type="button" className="quiet" onClick={paste.close}>
          Discard
        </button>
      </div>
    </div>
  );
}
